// The Internet checksum: whole (RFC 1071), and brought up to date after a change (RFC 1624, equation 3).
//
// Sums are kept unfolded in 32 bits and may be added to each other: up to 65,537 words fit.
#pragma once

#include "qimux/base/bytes.hpp"

#include <cstdint>

namespace qimux::net {

// The sum of the 16-bit words; an odd last byte counts as if a zero followed. Every part but the last of a
// sum in parts must have an even length.
std::uint32_t sumOf(ByteView bytes);
// Of the address, protocol and length that TCP and UDP sum up in front of themselves.
std::uint32_t pseudoHeaderSum(std::uint32_t source, std::uint32_t destination, std::uint8_t protocol,
                              std::uint16_t length);

std::uint16_t fold(std::uint32_t sum);
// What belongs into a checksum field that was zero while summed.
inline std::uint16_t checksumOf(std::uint32_t sum) {
  return static_cast<std::uint16_t>(~fold(sum));
}
// Whether a sum that includes its checksum field is right: 0xffff, however 0x0000 and 0xffff were written.
inline bool sumIsValid(std::uint32_t sum) {
  return fold(sum) == 0xffff;
}

// The checksum after words summing up to `before` were replaced by words summing up to `after`. A checksum
// that was right stays right, and one that was wrong stays as wrong as it was: damage is not repaired unseen.
// Not for what may become all zeros (an ICMP message may, IP, TCP and UDP cannot): its checksum is 0xffff.
std::uint16_t updated(std::uint16_t checksum, std::uint32_t before, std::uint32_t after);

// The same for UDP, where 0 means that there is none (it stays so), and a sum of 0 is written as 0xffff.
std::uint16_t updatedUdp(std::uint16_t checksum, std::uint32_t before, std::uint32_t after);

// The two words of a 32-bit field.
inline std::uint32_t wordsOf(std::uint32_t value) {
  return (value >> 16) + (value & 0xffff);
}

}  // namespace qimux::net
