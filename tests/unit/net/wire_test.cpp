#include "qimux/net/wire.hpp"

#include "support/catch.hpp"

namespace qimux::net {

TEST_CASE("numbers in network order at odd places") {
  Bytes bytes(7, 0xee);
  store32(bytes, 1, 0x01020304);
  store16(bytes, 5, 0xfffe);
  CHECK((bytes == Bytes{0xee, 1, 2, 3, 4, 0xff, 0xfe}));
  CHECK(load32(bytes, 1) == 0x01020304);
  CHECK(load16(bytes, 5) == 0xfffe);
}

}  // namespace qimux::net
