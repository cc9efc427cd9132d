#include "qimux/net/sysctl.hpp"

#include "qimux/base/fd.hpp"
#include "qimux/base/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace qimux::net {
namespace {

Result<Fd> openSysctl(std::string_view path, int flags) {
  const std::string whole = "/proc/sys/" + std::string(path);
  Fd fd(::open(whole.c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(systemError(path, errno));
  return fd;
}

}  // namespace

Result<void> writeSysctl(std::string_view path, std::string_view value) {
  const auto fd = openSysctl(path, O_WRONLY);
  if (!fd) return std::unexpected(fd.error());
  // A setting is taken whole or not at all.
  if (::write(fd->get(), value.data(), value.size()) < 0) return std::unexpected(systemError(path, errno));
  return {};
}

void trySysctl(std::string_view path, std::string_view value) {
  if (const auto done = writeSysctl(path, value); !done) log::debug(done.error().text());
}

Result<std::string> readSysctl(std::string_view path) {
  const auto fd = openSysctl(path, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  std::array<char, 256> buffer;
  const ssize_t length = ::read(fd->get(), buffer.data(), buffer.size());
  if (length < 0) return std::unexpected(systemError(path, errno));
  std::string value(buffer.data(), static_cast<std::size_t>(length));
  while (value.ends_with('\n')) value.pop_back();
  return value;
}

}  // namespace qimux::net
