// The bytes of a stream as a function of its number and the position: one that is lost, doubled, swapped or
// of another stream is seen at once. Part of them look like what a module says, so that a parser that
// searches payload for words trips over it.
#pragma once

#include "qimux/base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace qimux::simtest {

using StreamId = std::uint64_t;

Byte patternAt(StreamId stream, std::uint64_t position);
Bytes pattern(StreamId stream, std::uint64_t position, std::size_t size);
// The first position at which `bytes`, which begin at `position`, are not those of the stream.
std::optional<std::uint64_t> mismatch(StreamId stream, std::uint64_t position, ByteView bytes);

}  // namespace qimux::simtest
