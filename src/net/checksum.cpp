#include "qimux/net/checksum.hpp"

#include "qimux/net/wire.hpp"

namespace qimux::net {

std::uint32_t sumOf(ByteView bytes) {
  std::uint32_t sum = 0;
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) sum += load16(bytes, at);
  if (at < bytes.size()) sum += std::uint32_t{bytes[at]} << 8;
  return sum;
}

std::uint32_t pseudoHeaderSum(std::uint32_t source, std::uint32_t destination, std::uint8_t protocol,
                              std::uint16_t length) {
  return wordsOf(source) + wordsOf(destination) + protocol + length;
}

std::uint16_t fold(std::uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t updated(std::uint16_t checksum, std::uint32_t before, std::uint32_t after) {
  // ~(~HC + ~m + m'): unlike HC + m - m' it never turns a right checksum into the wrong kind of zero.
  const std::uint32_t sum = (~std::uint32_t{checksum} & 0xffff) + (~std::uint32_t{fold(before)} & 0xffff);
  return checksumOf(sum + fold(after));
}

std::uint16_t updatedUdp(std::uint16_t checksum, std::uint32_t before, std::uint32_t after) {
  if (checksum == 0) return 0;
  const std::uint16_t result = updated(checksum, before, after);
  return result == 0 ? 0xffff : result;
}

}  // namespace qimux::net
