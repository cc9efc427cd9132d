// Numbers in network byte order, at any alignment. The caller has checked the bounds.
#pragma once

#include "qimux/base/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace qimux::net {

inline std::uint16_t load16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline std::uint32_t load32(ByteView bytes, std::size_t at) {
  return std::uint32_t{load16(bytes, at)} << 16 | load16(bytes, at + 2);
}
inline void store16(ByteSpan bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<Byte>(value >> 8);
  bytes[at + 1] = static_cast<Byte>(value & 0xff);
}
inline void store32(ByteSpan bytes, std::size_t at, std::uint32_t value) {
  store16(bytes, at, static_cast<std::uint16_t>(value >> 16));
  store16(bytes, at + 2, static_cast<std::uint16_t>(value & 0xffff));
}

}  // namespace qimux::net
