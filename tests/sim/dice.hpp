// Randomness that is the same with every compiler and library: everything in a simulation comes from its
// seed.
#pragma once

#include "qimux/async/loop.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace qimux::simtest {

// A bijection that looks random (splitmix64).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(mix(seed)) {}

  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + engine_() % (most - least + 1);
  }
  bool chance(double probability) { return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability; }
  // Each power of two is as likely as any other: sizes of real writes.
  std::uint64_t size(std::uint64_t least, std::uint64_t most) {
    const auto magnitude = between(std::bit_width(least), std::bit_width(most));
    const std::uint64_t top = magnitude == 0 ? 0 : (std::uint64_t{1} << magnitude) - 1;
    return between(least, top < least ? least : (top > most ? most : top));
  }
  async::Duration span(async::Duration least, async::Duration most) {
    return async::Duration(static_cast<async::Duration::rep>(
        between(static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count()))));
  }
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + static_cast<std::ptrdiff_t>(between(0, choices.size() - 1)));
  }
  // An independent one, so that what one part draws changes nothing elsewhere.
  std::uint64_t fork() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace qimux::simtest
