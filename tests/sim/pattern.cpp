#include "sim/pattern.hpp"

#include "sim/dice.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace qimux::simtest {
namespace {

constexpr std::uint64_t kBlock = 32;
constexpr std::array<std::string_view, 12> kTraps{"\r\nOK\r\n",
                                                  "\r\nERROR\r\n",
                                                  "\r\n+QIRDI: 0,1,0\r\n",
                                                  "\r\n0, CLOSED\r\n",
                                                  "\r\nSEND OK\r\n",
                                                  "\r\n> ",
                                                  "\r\n+PDP DEACT\r\n",
                                                  "\r\nRDY\r\n",
                                                  "\x1b\x1a\x1b\x1a",
                                                  "\r\n+QISACK: 1, 1, 0\r\n",
                                                  "AT+QICLOSE=0\r",
                                                  "+++\r\n"};

// One block of a stream, made anew for each position asked for: blocks are small.
std::array<Byte, kBlock> block(StreamId stream, std::uint64_t index) {
  std::array<Byte, kBlock> bytes{};
  const std::uint64_t seed = mix(stream * 0x100000001b3u + index);
  for (std::size_t i = 0; i < kBlock; ++i) {
    if (i % 8 == 0) {
      const std::uint64_t word = mix(seed + i);
      for (std::size_t k = 0; k < 8; ++k) bytes[i + k] = static_cast<Byte>(word >> (8 * k));
    }
  }
  if (seed % 4 == 0) {
    const std::string_view trap = kTraps[(seed >> 8) % kTraps.size()];
    std::copy_n(trap.begin(), std::min<std::size_t>(trap.size(), kBlock), bytes.begin());
  }
  return bytes;
}

}  // namespace

Byte patternAt(StreamId stream, std::uint64_t position) {
  return block(stream, position / kBlock)[position % kBlock];
}

Bytes pattern(StreamId stream, std::uint64_t position, std::size_t size) {
  Bytes bytes;
  bytes.reserve(size + kBlock);
  std::uint64_t index = position / kBlock;
  std::size_t skip = position % kBlock;
  while (bytes.size() < size) {
    const auto more = block(stream, index++);
    const std::size_t count = std::min<std::size_t>(kBlock - skip, size - bytes.size());
    bytes.insert(bytes.end(), more.begin() + static_cast<std::ptrdiff_t>(skip),
                 more.begin() + static_cast<std::ptrdiff_t>(skip + count));
    skip = 0;
  }
  return bytes;
}

std::optional<std::uint64_t> mismatch(StreamId stream, std::uint64_t position, ByteView bytes) {
  const Bytes expected = pattern(stream, position, bytes.size());
  const auto [found, wanted] = std::ranges::mismatch(bytes, expected);
  if (found == bytes.end()) return std::nullopt;
  return position + static_cast<std::uint64_t>(wanted - expected.begin());
}

}  // namespace qimux::simtest
