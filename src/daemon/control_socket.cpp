#include "qimux/daemon/control_socket.hpp"

#include "qimux/base/log.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

namespace qimux::daemon {
namespace {

constexpr int kBacklog = 16;
// Where the socket is made before it takes its name.
constexpr std::string_view kNewSuffix = ".new";

Result<sockaddr_un> addressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
    return std::unexpected(Error{ErrorKind::Invalid, path, "a socket's path has 1 to 107 bytes"});
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Success where nothing alive is at `path`.
Result<void> checkFree(const std::string& path) {
  struct stat seen{};
  if (::lstat(path.c_str(), &seen) != 0) return {};
  if (!S_ISSOCK(seen.st_mode)) {
    return std::unexpected(Error{ErrorKind::Invalid, path, "something is there that is not a socket"});
  }
  const auto address = addressOf(path);
  if (!address) return std::unexpected(address.error());
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int status = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  // EAGAIN is a living daemon with a full backlog.
  if (status == 0 || errno == EAGAIN) {
    return std::unexpected(Error{ErrorKind::Full, path, "another daemon answers there"});
  }
  return {};
}

// The path where a directory was made; nothing where it was there, or cannot be made (bind then says why).
std::string makeDirectory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  std::string directory = path.substr(0, slash);
  constexpr mode_t kDirectoryMode = 0755;
  return ::mkdir(directory.c_str(), kDirectoryMode) == 0 ? directory : std::string{};
}

// Gives the file to the group and lets it in, or leaves it as narrow as it is.
void admit(const std::string& path, const std::string& group) {
  if (group.empty()) return;
  const ::group* entry = ::getgrnam(group.c_str());
  if (entry == nullptr) {
    log::warning(fmt::format("control: there is no group \"{}\": the socket is for this user only", group));
    return;
  }
  constexpr mode_t kGroupMode = 0660;
  constexpr auto kSameUser = static_cast<uid_t>(-1);
  struct stat seen{};
  // A directory with the set-group-ID bit has given it away already, where the sandbox has no chown().
  const bool given = ::lstat(path.c_str(), &seen) == 0 && seen.st_gid == entry->gr_gid;
  if ((!given && ::chown(path.c_str(), kSameUser, entry->gr_gid) != 0) ||
      ::chmod(path.c_str(), kGroupMode) != 0) {
    log::warning(
        fmt::format("control: the socket cannot be given to group \"{}\" ({}): it is for this user only",
                    group, std::strerror(errno)));
  }
}

Result<Fd> bindNarrow(const std::string& path) {
  const auto address = addressOf(path);
  if (!address) return std::unexpected(address.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(systemError("socket", errno));
  ::unlink(path.c_str());
  constexpr mode_t kOwnerOnly = 0177;
  const mode_t before = ::umask(kOwnerOnly);
  const int status = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int bind_errno = errno;
  ::umask(before);
  if (status != 0) return std::unexpected(systemError(path, bind_errno));
  return fd;
}

}  // namespace

Result<ControlSocket> ControlSocket::listen(const std::string& path, const std::string& group) {
  const std::string fresh = path + std::string(kNewSuffix);
  if (const auto address = addressOf(fresh); !address) {
    return std::unexpected(Error{ErrorKind::Invalid, path, "a control socket's path has 1 to 103 bytes"});
  }
  if (auto free = checkFree(path); !free) return std::unexpected(std::move(free.error()));
  ControlSocket made;
  made.made_directory_ = makeDirectory(path);
  auto fd = bindNarrow(fresh);
  if (!fd) return std::unexpected(std::move(fd.error()));
  made.fd_ = std::move(*fd);
  made.path_ = fresh;
  struct stat seen{};
  if (::stat(fresh.c_str(), &seen) != 0) return std::unexpected(systemError(fresh, errno));
  made.device_ = seen.st_dev;
  made.inode_ = seen.st_ino;
  admit(fresh, group);
  if (::listen(made.fd_.get(), kBacklog) != 0) return std::unexpected(systemError("listen", errno));
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return std::unexpected(systemError(path, errno));
  made.path_ = path;
  return made;
}

ControlSocket::ControlSocket(ControlSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::exchange(other.path_, {})),
      made_directory_(std::exchange(other.made_directory_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

ControlSocket& ControlSocket::operator=(ControlSocket&& other) noexcept {
  if (this != &other) {
    remove();
    fd_ = std::move(other.fd_);
    path_ = std::exchange(other.path_, {});
    made_directory_ = std::exchange(other.made_directory_, {});
    device_ = other.device_;
    inode_ = other.inode_;
  }
  return *this;
}

ControlSocket::~ControlSocket() {
  remove();
}

void ControlSocket::remove() {
  struct stat seen{};
  if (!path_.empty() && ::lstat(path_.c_str(), &seen) == 0 && seen.st_dev == device_ &&
      seen.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  // Fails, and should, where somebody else put something into it.
  if (!made_directory_.empty()) ::rmdir(made_directory_.c_str());
}

}  // namespace qimux::daemon
