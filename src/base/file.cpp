#include "qimux/base/file.hpp"

#include "qimux/base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace qimux {
namespace {

namespace fs = std::filesystem;

// Of another ending: who collects "*.prom" never sees it.
constexpr std::string_view kTemporary = ".new-";
constexpr std::string_view kRandom = "XXXXXX";

// What mkostemp makes of that.
bool isRandom(std::string_view text) {
  return text.size() == kRandom.size() && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

Result<void> writeAll(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return std::unexpected(systemError(path, errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string directoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
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
  std::string temporary = std::string(path).append(kTemporary).append(kRandom);
  // Open, for what is done to its entries to be made to last.
  const Fd directory(::open(directoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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

void removeLeftovers(const std::string& path) {
  const std::string prefix = fs::path(path).filename().string().append(kTemporary);
  std::error_code error;
  std::error_code ignored;
  for (fs::directory_iterator each(directoryOf(path), error), end; !error && each != end;
       each.increment(error)) {
    const std::string name = each->path().filename().native();
    if (name.starts_with(prefix) && isRandom(std::string_view(name).substr(prefix.size())))
      fs::remove(each->path(), ignored);
  }
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
