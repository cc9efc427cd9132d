#include "qimux/sim/transcript.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {
constexpr std::size_t kShown = 32;
}

void Transcript::write(std::string_view direction, std::string_view line) {
  if (!on()) return;
  const double seconds = std::chrono::duration<double>(loop_.now() - start_).count();
  sink_(fmt::format("{:12.6f} {} {}", seconds, direction, printable(line)));
}

void Transcript::payload(std::string_view direction, ByteView bytes) {
  if (!on()) return;
  const bool cut = bytes.size() > kShown;
  const double seconds = std::chrono::duration<double>(loop_.now() - start_).count();
  sink_(fmt::format("{:12.6f} {} \"{}\"{} ({} bytes)", seconds, direction,
                    printable(textOf(bytes.first(std::min(kShown, bytes.size())))), cut ? "..." : "",
                    bytes.size()));
}

}  // namespace qimux::sim
