#include "qimux/net/checksum.hpp"

#include "qimux/net/wire.hpp"
#include "support/catch.hpp"

#include <random>

namespace qimux::net {
namespace {

Bytes randomBytes(std::mt19937& random, std::size_t size) {
  // Many zeros and ones: the corners of one's complement are there.
  static constexpr Byte kCorners[] = {0x00, 0xff, 0x00, 0xff, 0x01, 0xfe};
  Bytes bytes(size);
  for (Byte& byte : bytes) byte = random() % 2 ? kCorners[random() % 6] : static_cast<Byte>(random());
  return bytes;
}

}  // namespace

TEST_CASE("the example of RFC 1071") {
  const Bytes bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(fold(sumOf(bytes)) == 0xddf2);
  CHECK(checksumOf(sumOf(bytes)) == 0x220d);
}

TEST_CASE("the example of RFC 1624: the equation that RFC 1141 got wrong") {
  CHECK(updated(0xdd2f, 0x5555, 0x3285) == 0x0000);
}

TEST_CASE("an odd last byte counts as if a zero followed") {
  CHECK(sumOf(Bytes{0x12, 0x34, 0x56}) == 0x1234 + 0x5600);
  CHECK(sumOf(Bytes{0x56}) == 0x5600);
  CHECK(sumOf(Bytes{}) == 0);
}

TEST_CASE("the sum of the longest packet does not overflow") {
  const Bytes bytes(65535, 0xff);
  CHECK(fold(sumOf(bytes)) == fold(0xff00));
}

TEST_CASE("an updated checksum is the one that summing anew would give") {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = randomBytes(random, 4 + random() % 40);
    bytes[0] = 0x45;  // as in every header, something is not zero
    const std::uint16_t checksum = checksumOf(sumOf(bytes));
    const std::size_t at = 2 + random() % (bytes.size() / 2 - 1) * 2;
    const std::uint16_t before = load16(bytes, at);
    const std::uint16_t after = load16(randomBytes(random, 2), 0);
    store16(bytes, at, after);
    REQUIRE(updated(checksum, before, after) == checksumOf(sumOf(bytes)));
  }
}

TEST_CASE("a wrong checksum stays wrong by as much") {
  std::mt19937 random(2);
  for (int round = 0; round < 5'000; ++round) {
    Bytes bytes = randomBytes(random, 20);
    bytes[0] = 0x45;
    const auto damage = static_cast<std::uint16_t>(1 + random() % 0xfffd);
    const std::uint16_t wrong = static_cast<std::uint16_t>(checksumOf(sumOf(bytes)) ^ damage);
    if (sumIsValid(sumOf(bytes) + wrong)) continue;
    const std::uint32_t before = load32(bytes, 4);
    const auto after = static_cast<std::uint32_t>(random());
    store32(bytes, 4, after);
    const std::uint16_t still = updated(wrong, wordsOf(before), wordsOf(after));
    REQUIRE_FALSE(sumIsValid(sumOf(bytes) + still));
  }
}

TEST_CASE("UDP: none stays none, and a sum of zero is written as 0xffff") {
  CHECK(updatedUdp(0, 1, 2) == 0);
  CHECK(updated(0xdd2f, 0x5555, 0x3285) == 0);
  CHECK(updatedUdp(0xdd2f, 0x5555, 0x3285) == 0xffff);
  CHECK(updatedUdp(0xffff, 0x0001, 0x0001) == 0xffff);
  CHECK(updatedUdp(0x1234, 0x0001, 0x0002) == 0x1233);
}

TEST_CASE("either kind of zero is a valid sum") {
  CHECK(sumIsValid(0xffff));
  CHECK(sumIsValid(0x1fffe));
  CHECK_FALSE(sumIsValid(0));
  CHECK_FALSE(sumIsValid(1));
}

TEST_CASE("the pseudo header sums addresses, protocol and length") {
  CHECK(pseudoHeaderSum(0x00010002, 0x00030004, 6, 20) == 1 + 2 + 3 + 4 + 6 + 20);
}

}  // namespace qimux::net
