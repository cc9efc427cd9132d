#include "qimux/net/tcp_options.hpp"

#include "qimux/net/wire.hpp"

namespace qimux::net {
namespace {

// The option at or after `from`; nothing at the end or where the list cannot be read on.
std::optional<OptionPlace> nextOption(ByteView options, std::size_t from) {
  while (from < options.size() && options[from] == kOptionNop) ++from;
  if (from >= options.size() || options[from] == kOptionEnd) return std::nullopt;
  if (from + 1 >= options.size()) return std::nullopt;
  const std::size_t length = options[from + 1];
  if (length < 2 || length > options.size() - from) return std::nullopt;
  return OptionPlace{from, length};
}

void scanSack(ByteView option, TcpOptions& found) {
  if (option.size() % 8 != 2) return;
  for (std::size_t at = 2; at < option.size() && found.sack_count < found.sack.size(); at += 8) {
    found.sack[found.sack_count++] = {load32(option, at), load32(option, at + 4)};
  }
}

void scanOne(ByteView option, TcpOptions& found) {
  switch (option[0]) {
    case kOptionMss:
      if (option.size() == 4) found.mss = load16(option, 2);
      break;
    case kOptionWindowScale:
      if (option.size() == 3) found.window_scale = option[2];
      break;
    case kOptionSackPermitted:
      found.sack_permitted = option.size() == 2;
      break;
    case kOptionSack:
      scanSack(option, found);
      break;
    case kOptionTimestamps:
      if (option.size() == 10) found.timestamps = TcpTimestamps{load32(option, 2), load32(option, 6)};
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<OptionPlace> findOption(ByteView options, std::uint8_t kind, std::size_t from) {
  while (const auto place = nextOption(options, from)) {
    if (options[place->offset] == kind) return place;
    from = place->offset + place->length;
  }
  return std::nullopt;
}

TcpOptions scanOptions(ByteView options) {
  TcpOptions found;
  std::size_t from = 0;
  while (const auto place = nextOption(options, from)) {
    scanOne(options.subspan(place->offset, place->length), found);
    from = place->offset + place->length;
  }
  return found;
}

}  // namespace qimux::net
