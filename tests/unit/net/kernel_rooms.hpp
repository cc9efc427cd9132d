// Tests that need the kernel: each runs in a child process with a network namespace of its own.
#pragma once

#include <functional>
#include <string>

namespace qimux::net::test {

// Runs `body` in a child that has a fresh network namespace with CAP_NET_ADMIN in it. `body` returns what
// went wrong, or nothing; that is the result here. Where this machine has no TUN or allows no namespace,
// prints SKIP and the reason and returns nothing, unless CI=true, where it is a failure like any other.
std::string inOwnNamespace(const std::function<std::string()>& body);

// Inside a body: gives up every capability; the user stays the same. False where that fails.
bool dropCapabilities();
// Inside a body: true where `fd` becomes readable within five seconds.
bool readable(int fd);

}  // namespace qimux::net::test

// Inside a body: ends it with the text of the condition that does not hold.
#define QIMUX_NEED(condition)                                                                        \
  do {                                                                                               \
    if (!(condition)) return std::string(__FILE__ ":" + std::to_string(__LINE__) + ": " #condition); \
  } while (false)
// The same for a Result, with its error.
#define QIMUX_NEED_OK(result)                                                                       \
  do {                                                                                              \
    if (!(result))                                                                                  \
      return std::string(__FILE__ ":" + std::to_string(__LINE__) + ": " + (result).error().text()); \
  } while (false)
