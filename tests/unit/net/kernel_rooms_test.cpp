#include "unit/net/kernel_rooms.hpp"

#include "qimux/base/fd.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace qimux::net::test {
namespace {

std::string reasonToSkip() {
  const Fd driver(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!driver.valid()) return std::string("/dev/net/tun: ") + std::strerror(errno);
  return {};
}

std::string skipped(const std::string& reason) {
  const char* ci = std::getenv("CI");
  if (ci != nullptr && std::strcmp(ci, "true") == 0) return "SKIP is a failure in CI: " + reason;
  std::cout << "SKIP " << reason << '\n';
  return {};
}

// What a child says that could not even begin.
constexpr std::string_view kNoNamespace = "no namespace: ";

[[noreturn]] void runChild(int out, const std::function<std::string()>& body) {
  std::string said;
  if (::unshare(CLONE_NEWNET) < 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
    said = std::string(kNoNamespace) + std::strerror(errno);
  } else {
    said = body();
  }
  (void)!::write(out, said.data(), said.size());
  // The ordinary end and not _exit(): leaks are looked for and coverage is written here as well.
  std::exit(0);
}

}  // namespace

bool dropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 5000) == 1;
}

std::string inOwnNamespace(const std::function<std::string()>& body) {
  if (const std::string reason = reasonToSkip(); !reason.empty()) return skipped(reason);
  int pipe_ends[2];
  if (::pipe(pipe_ends) < 0) return std::strerror(errno);
  const Fd in(pipe_ends[0]);
  Fd out(pipe_ends[1]);
  std::cout.flush();
  const pid_t child = ::fork();
  if (child == 0) runChild(out.get(), body);
  out.reset();
  std::string said;
  std::array<char, 512> buffer;
  for (ssize_t length; (length = ::read(in.get(), buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<std::size_t>(length));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) said += " (child ended with status " + std::to_string(status) + ")";
  if (said.starts_with(kNoNamespace)) return skipped(said);
  return said;
}

}  // namespace qimux::net::test
