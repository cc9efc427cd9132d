// Bytes as a capture writes them (record.hpp): "text", hexadecimal digits, <n> for n filler bytes, in any
// order and without blanks between them.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"

#include <string>
#include <string_view>

namespace qimux::capture {

// Appends `bytes`: what a person reads best where they are mostly text, and where they are a packet.
void encodeText(std::string& out, ByteView bytes);
void encodeHex(std::string& out, ByteView bytes);

// Takes one field from the front of `rest`, with the blanks before it. Invalid where there is none, or it is
// not well formed, or means more than `bound` bytes.
Result<Bytes> decode(std::string_view& rest, std::size_t bound);

}  // namespace qimux::capture
