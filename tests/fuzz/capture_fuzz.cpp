// Any file as a capture: it is refused with a line, or each of its records comes back as it was written, and
// what a mask makes of it has the same length. The first byte chooses: a file with a head, records alone, or
// the port's dialogue that a mask reads, in pieces of any size.
#include "qimux/capture/file.hpp"
#include "qimux/capture/mask.hpp"
#include "qimux/daemon/captured.hpp"

#include <cstdlib>
#include <string>

using namespace qimux;
using namespace qimux::capture;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Replays end, whatever they say.
void runCapture(const Capture& recorded) {
  constexpr std::size_t kMost = 200;
  if (recorded.records.size() > kMost) return;
  const auto options = daemon::replayOptions(recorded.head);
  if (!options) return;
  auto bounded = *options;
  bounded.until = std::chrono::minutes(10);
  static_cast<void>(Replay::create(recorded, bounded)->run());
}

void readFile(std::string_view text) {
  const auto recorded = parseCapture(text);
  if (!recorded) {
    require(recorded.error().what.starts_with("line "));
    return;
  }
  for (const auto& record : recorded->records) {
    require(record.data.size() <= kMaxData && record.text.size() <= kMaxData);
    const auto again = parseRecord(print(record, "comment"), record.line);
    require(again && print(*again) == print(record));
  }
  runCapture(*recorded);
}

Mask maskOf() {
  Surroundings surroundings;
  surroundings.network = net::Cidr{0x0a404001, 30};
  surroundings.gateway = 0x0a404002;
  surroundings.upstream = net::Endpoint{0x09090909, 53};
  return Mask::withStandIns(surroundings);
}

// Nothing is lost, and nothing is made up: only what an unfinished line keeps back is missing.
void readDialogue(ByteView bytes) {
  auto mask = maskOf();
  std::size_t shown = 0;
  std::size_t given = 0;
  while (bytes.size() >= 2) {
    const bool command = bytes[0] % 4 == 0;
    const std::size_t size = std::min<std::size_t>(bytes[1], bytes.size() - 2);
    const auto piece = bytes.subspan(2, size);
    if (command) {
      static_cast<void>(mask.toModule(piece, bytes[0] % 8 == 0));
    } else {
      given += size;
      shown += mask.fromModule(piece).size();
      require(shown <= given);
    }
    require(mask.packet(piece).size() <= size);
    require(mask.stream(piece, true).size() == size);
    bytes = bytes.subspan(2 + size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      readFile(textOf(bytes));
      break;
    case 1:
      readFile("qimux-capture 1\nclock 1000000\nbegin\n" + std::string(textOf(bytes)));
      break;
    default:
      readDialogue(bytes);
      break;
  }
  return 0;
}
