#include "qimux/net/tun.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace qimux::net {
namespace {

constexpr const char* kDevice = "/dev/net/tun";

Error withAdvice(std::string_view what, int error_number, std::string_view advice) {
  return {ErrorKind::System, std::string(what), fmt::format("{}; {}", std::strerror(error_number), advice)};
}

Result<Fd> openDriver() {
  Fd fd(::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd.valid()) return fd;
  switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return std::unexpected(
          withAdvice(kDevice, errno, "load the tun module, or give the container that device"));
    case EACCES:
    case EPERM:
      return std::unexpected(
          withAdvice(kDevice, errno, "allow this user to open it (mode 0666, DeviceAllow=)"));
    default:
      return std::unexpected(systemError(kDevice, errno));
  }
}

Error attachError(std::string_view name, int error_number) {
  switch (error_number) {
    case EBUSY:
      return {ErrorKind::Full, std::string(name),
              "another process holds this TUN: is one of us running already? Stop it or choose another name"};
    case EPERM:
    case EACCES:
      return withAdvice(name, error_number, "making a TUN needs CAP_NET_ADMIN");
    case EINVAL:
      return {ErrorKind::Invalid, std::string(name),
              "an interface of another kind has this name: remove it or choose another name"};
    default:
      return systemError(name, error_number);
  }
}

ifreq requestFor(std::string_view name) {
  ifreq request{};
  std::copy(name.begin(), name.end(), request.ifr_name);
  return request;
}

Result<Fd> attach(std::string_view name) {
  auto fd = openDriver();
  if (!fd) return fd;
  ifreq request = requestFor(name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(fd->get(), TUNSETIFF, &request) < 0) return std::unexpected(attachError(name, errno));
  return fd;
}

bool isPersistent(int fd) {
  ifreq request{};
  return ::ioctl(fd, TUNGETIFF, &request) == 0 && (request.ifr_flags & IFF_PERSIST) != 0;
}

}  // namespace

bool isInterfaceName(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte >= 0x7f || c == '/' || c == ':' || c == '%';
  });
}

Result<Tun> Tun::open(std::string_view name) {
  if (!isInterfaceName(name)) {
    return std::unexpected(Error{ErrorKind::Invalid, std::string(name), "not a name for an interface"});
  }
  auto fd = attach(name);
  if (fd && isPersistent(fd->get())) {
    // What a stale device still carries is not ours: let it go with everything on it, and begin anew.
    if (::ioctl(fd->get(), TUNSETPERSIST, 0) < 0) return std::unexpected(systemError(name, errno));
    fd->reset();
    fd = attach(name);
  }
  if (!fd) return std::unexpected(fd.error());
  return Tun(std::move(*fd), std::string(name));
}

Result<std::size_t> Tun::read(ByteSpan buffer) {
  const ssize_t length = ::read(fd_.get(), buffer.data(), buffer.size());
  if (length >= 0) return static_cast<std::size_t>(length);
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  if (errno == EBADFD) return std::unexpected(Error{ErrorKind::Closed, name_, "the TUN was deleted"});
  return std::unexpected(systemError(name_, errno));
}

Result<void> Tun::write(ByteView packet) {
  ssize_t written;
  do {
    written = ::write(fd_.get(), packet.data(), packet.size());
  } while (written < 0 && errno == EINTR);
  if (written >= 0) return {};
  if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
    return std::unexpected(Error{ErrorKind::Full, name_, std::strerror(errno)});
  }
  if (errno == EBADFD) return std::unexpected(Error{ErrorKind::Closed, name_, "the TUN was deleted"});
  return std::unexpected(systemError(name_, errno));
}

}  // namespace qimux::net
