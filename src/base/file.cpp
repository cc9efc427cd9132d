#include "qimux/base/file.hpp"

#include "qimux/base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace qimux {
namespace {

Result<void> writeAll(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return std::unexpected(systemError(path, errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Beside the last slash; an open directory, for what is done to its entries to be made to last.
Fd directoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// Who is root by hand leaves nothing behind that the directory's owner could not read. A root that may not
// give files away (EPERM) keeps them.
bool giveTo(int directory, int fd) {
  struct stat owner{};
  if (::geteuid() != 0) return true;
  return ::fstat(directory, &owner) == 0 && (::fchown(fd, owner.st_uid, owner.st_gid) == 0 || errno == EPERM);
}

}  // namespace

Result<void> replaceFile(const std::string& path, std::string_view text, mode_t mode) {
  // Of another ending: who collects "*.prom" never sees it.
  std::string temporary = path + ".XXXXXX";
  const Fd directory = directoryOf(path);
  if (!directory.valid()) return std::unexpected(systemError(path, errno));
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(systemError(path, errno));
  auto done = writeAll(fd.get(), path, text);
  if (done && (!giveTo(directory.get(), fd.get()) || ::fchmod(fd.get(), mode) != 0 ||
               ::fsync(fd.get()) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0)) {
    done = std::unexpected(systemError(path, errno));
  }
  if (!done) ::unlink(temporary.c_str());
  // A file system that knows no such thing says EINVAL.
  if (done && ::fsync(directory.get()) != 0 && errno != EINVAL)
    done = std::unexpected(systemError(path, errno));
  return done;
}

Result<std::string> readFile(const std::string& path, std::size_t most) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return std::unexpected(systemError(path, errno));
  std::string text;
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(systemError(path, errno));
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > most) return std::unexpected(Error{ErrorKind::Full, path, "is too long"});
  }
}

}  // namespace qimux
