// The options of a TCP header (RFC 9293 3.1, RFC 7323, RFC 2018).
#pragma once

#include "qimux/base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace qimux::net {

struct TcpTimestamps {
  std::uint32_t value = 0;  // the sender's clock
  std::uint32_t echo = 0;   // the receiver's clock, sent back
  friend bool operator==(const TcpTimestamps&, const TcpTimestamps&) = default;
};

struct SackBlock {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // behind the last
  friend bool operator==(const SackBlock&, const SackBlock&) = default;
};

struct TcpOptions {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;  // as sent; RFC 7323 2.3: above 14 means 14
  std::optional<TcpTimestamps> timestamps;
  bool sack_permitted = false;
  std::array<SackBlock, 4> sack{};
  std::size_t sack_count = 0;
};

// Reads up to the end-of-list option, the end, or the first option that cannot be: what stands before it
// counts. An option of the wrong length is as if it were not there.
TcpOptions scanOptions(ByteView options);

// Where in `options` an option of that kind stands, as offset and length with its two leading bytes.
struct OptionPlace {
  std::size_t offset;
  std::size_t length;
};
std::optional<OptionPlace> findOption(ByteView options, std::uint8_t kind, std::size_t from = 0);

inline constexpr std::uint8_t kOptionEnd = 0;
inline constexpr std::uint8_t kOptionNop = 1;
inline constexpr std::uint8_t kOptionMss = 2;
inline constexpr std::uint8_t kOptionWindowScale = 3;
inline constexpr std::uint8_t kOptionSackPermitted = 4;
inline constexpr std::uint8_t kOptionSack = 5;
inline constexpr std::uint8_t kOptionTimestamps = 8;

}  // namespace qimux::net
