#include "qimux/net/tcp_options.hpp"

#include "support/catch.hpp"

namespace qimux::net {

TEST_CASE("the options of an ordinary SYN") {
  const Bytes options{2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7};
  const TcpOptions found = scanOptions(options);
  CHECK(found.mss == 1460);
  CHECK(found.window_scale == 7);
  CHECK((found.timestamps == TcpTimestamps{1, 2}));
  CHECK(found.sack_permitted);
  CHECK(found.sack_count == 0);
}

TEST_CASE("SACK blocks, at most the four that fit") {
  Bytes options{1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
  const TcpOptions found = scanOptions(options);
  REQUIRE(found.sack_count == 2);
  CHECK((found.sack[0] == SackBlock{1, 2}));
  CHECK((found.sack[1] == SackBlock{3, 4}));
  const Bytes twice{5, 26, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6};
  Bytes many = twice;
  many.insert(many.end(), twice.begin(), twice.end());
  CHECK(scanOptions(many).sack_count == 4);
}

TEST_CASE("an option of the wrong length is as if it were not there, and the next one is read") {
  const Bytes options{2, 3, 5, 3, 4, 1, 1, 4, 3, 0, 8, 4, 0, 0, 5, 4, 0, 0, 2, 4, 1, 0};
  const TcpOptions found = scanOptions(options);
  CHECK(found.mss == 0x100);
  CHECK_FALSE(found.window_scale);
  CHECK_FALSE(found.sack_permitted);
  CHECK_FALSE(found.timestamps);
  CHECK(found.sack_count == 0);
}

TEST_CASE("reading ends at the end of the list, at a length that cannot be, and at the last byte") {
  CHECK_FALSE(scanOptions(Bytes{0, 2, 4, 5, 0xb4}).mss);
  CHECK_FALSE(scanOptions(Bytes{9, 0, 2, 4, 5, 0xb4}).mss);
  CHECK_FALSE(scanOptions(Bytes{9, 1, 2, 4, 5, 0xb4}).mss);
  CHECK_FALSE(scanOptions(Bytes{2, 4, 5}).mss);
  CHECK_FALSE(scanOptions(Bytes{1, 1, 2}).mss);
  CHECK_FALSE(scanOptions(Bytes{}).mss);
  CHECK(scanOptions(Bytes{2, 4, 5, 0xb4, 9, 77}).mss == 1460);
}

TEST_CASE("an unknown option is stepped over") {
  CHECK(scanOptions(Bytes{254, 4, 1, 2, 2, 4, 5, 0xb4}).mss == 1460);
}

TEST_CASE("an option is found where it stands, and from there the next of its kind") {
  const Bytes options{1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto first = findOption(options, kOptionSack);
  REQUIRE(first);
  CHECK(first->offset == 1);
  CHECK(first->length == 10);
  const auto second = findOption(options, kOptionSack, 11);
  REQUIRE(second);
  CHECK(second->offset == 11);
  CHECK_FALSE(findOption(options, kOptionSack, 21));
  CHECK_FALSE(findOption(options, kOptionMss));
}

}  // namespace qimux::net
