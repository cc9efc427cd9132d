#include "qimux/base/fd.hpp"

#include <unistd.h>

namespace qimux {

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace qimux
