#include "qimux/daemon/pin_file.hpp"

#include "qimux/base/log.hpp"
#include "qimux/daemon/state.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace qimux::daemon {
namespace {

// FNV-1a.
std::string markOf(const std::string& pin) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : pin) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

void write(const std::filesystem::path& path, const std::string& mark) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::trunc);
  file << mark << '\n';
  if (file.flush()) return;
  log::warning(
      fmt::format("{}: cannot be written: after a restart of qimuxd the refused PIN would be tried again",
                  path.native()));
}

}  // namespace

void rememberPin(module::Settings& settings) {
  if (settings.pin.empty()) return;
  const auto path = stateFile("refused-pin");
  const auto mark = markOf(settings.pin);
  std::string written;
  if (std::ifstream file(path); file) file >> written;
  settings.pin_memory->refused = written == mark;
  settings.pin_memory->on_refused = [path, mark] { write(path, mark); };
}

}  // namespace qimux::daemon
