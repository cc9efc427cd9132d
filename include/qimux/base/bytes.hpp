// Views of raw bytes, and their way to text and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qimux {

using Byte = std::uint8_t;
using ByteView = std::span<const Byte>;
using ByteSpan = std::span<Byte>;
using Bytes = std::vector<Byte>;

inline ByteView bytesOf(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

inline std::string_view textOf(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// For logs and transcripts: printable ASCII as it is, CR LF TAB and the backslash escaped, all else as \xNN.
std::string printable(std::string_view text);

}  // namespace qimux
