#include "qimux/base/fd.hpp"

#include "support/catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

using qimux::Fd;

namespace {

int anyFd() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool isOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

}  // namespace

TEST_CASE("a descriptor is closed with its owner") {
  const int raw = anyFd();
  {
    const Fd fd(raw);
    CHECK(fd.valid());
    CHECK(fd.get() == raw);
    CHECK(isOpen(raw));
  }
  CHECK_FALSE(isOpen(raw));
}

TEST_CASE("a moved descriptor has one owner, and the old one of the target is closed") {
  const int first = anyFd();
  const int second = anyFd();
  Fd a(first);
  Fd b(second);
  b = std::move(a);
  CHECK(b.get() == first);
  CHECK(isOpen(first));
  CHECK_FALSE(isOpen(second));
  const Fd c(std::move(b));
  CHECK(c.get() == first);
}

TEST_CASE("a released descriptor stays open") {
  const int raw = anyFd();
  {
    Fd fd(raw);
    CHECK(fd.release() == raw);
    CHECK_FALSE(fd.valid());
  }
  CHECK(isOpen(raw));
  ::close(raw);
}
