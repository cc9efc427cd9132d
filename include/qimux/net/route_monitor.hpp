// The kernel's notifications about links, IPv4 addresses and IPv4 routes.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/base/fd.hpp"

namespace qimux::net {

class RouteMonitor {
 public:
  static Result<RouteMonitor> open();

  // Readable when there is news.
  int fd() const { return fd_.get(); }

  struct News {
    bool ours = false;            // about the interface that was asked for
    bool default_routes = false;  // about a default route, or about any link that may carry one
  };
  // Reads a bounded number of messages; what is left keeps fd() readable. Where the kernel had to drop some,
  // everything is news.
  News read(unsigned interface);

 private:
  explicit RouteMonitor(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace qimux::net
