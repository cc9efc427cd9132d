#include "qimux/ctl/run.hpp"

#include "qimux/base/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace qimux::ctl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kNoProgram = 127;

[[noreturn]] void become(const std::vector<std::string>& words, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::setenv("LC_ALL", "C", 1);
  const char* path = std::getenv("PATH");
  ::setenv("PATH", (std::string(path != nullptr ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin").c_str(), 1);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(kNoProgram);
}

// Until its end, or until the deadline; whether it was the end.
bool readAll(int fd, Clock::time_point deadline, std::size_t most, std::string& text) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waited{fd, POLLIN, 0};
    if (::poll(&waited, 1, static_cast<int>(left)) <= 0) continue;
    std::array<char, 4096> chunk;
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > most) text.erase(0, text.size() - most);
  }
}

}  // namespace

std::optional<Ran> runProgram(const std::vector<std::string>& words, std::chrono::milliseconds wait,
                              std::size_t most) {
  std::array<int, 2> ends{};
  if (words.empty() || ::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) become(words, writer.get());
  writer.reset();
  Ran ran;
  const bool ended = readAll(reader.get(), Clock::now() + wait, most, ran.output);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  constexpr int kSignalled = 128;
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  if (!ended || ran.code == kNoProgram) return std::nullopt;
  return ran;
}

std::string daemonProgram() {
  std::error_code error;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "qimuxd";
  return !error && std::filesystem::exists(beside, error) ? beside.string() : "qimuxd";
}

}  // namespace qimux::ctl
