#include "qimux/daemon/pin_file.hpp"

#include "qimux/base/file.hpp"
#include "qimux/base/log.hpp"
#include "qimux/daemon/state.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace qimux::daemon {
namespace {

constexpr std::size_t kMaxFile = 64;

// FNV-1a.
std::string markOf(const std::string& pin) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : pin) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

void write(const std::filesystem::path& path, const std::string& mark) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  constexpr mode_t kMode = 0600;
  const auto written = replaceFile(path.native(), mark + "\n", kMode);
  if (written) return;
  log::warning(fmt::format("{}: after a restart of qimuxd the refused PIN would be tried again",
                           written.error().text()));
}

}  // namespace

void rememberPin(module::Settings& settings, const std::string& interface) {
  if (settings.pin.empty()) return;
  const auto path = stateFile(interface, "refused-pin");
  const auto mark = markOf(settings.pin);
  settings.pin_memory->refused = readFile(path.native(), kMaxFile).value_or("") == mark + "\n";
  settings.pin_memory->on_refused = [path, mark] { write(path, mark); };
}

}  // namespace qimux::daemon
