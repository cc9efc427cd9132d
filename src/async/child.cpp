#include "qimux/async/child.hpp"

#include "qimux/async/event.hpp"
#include "qimux/base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

extern char** environ;

namespace qimux::async {
namespace {

// What systemd gives to its service alone.
constexpr std::array<std::string_view, 6> kNotForChildren = {
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};

std::string_view nameOf(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

std::vector<std::string> environmentFor(const std::vector<std::string>& more) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view name = nameOf(*each);
    const bool replaced = std::ranges::any_of(more, [&](const auto& other) { return nameOf(other) == name; });
    if (!replaced && std::ranges::find(kNotForChildren, name) == kNotForChildren.end())
      all.emplace_back(*each);
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const auto& each : texts) out.push_back(const_cast<char*>(each.c_str()));
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  Fd reader, writer;
};
Result<Pipe> makePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return std::unexpected(systemError("pipe", errno));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Of one page each, before others have their turn: what a pipe holds.
constexpr int kReads = 16;

// A process group that is killed and reaped where it has not ended by itself.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill();
    ::waitpid(pid_, nullptr, 0);
  }

  Result<void> start(const Command& command) {
    auto input = makePipe();
    auto output = makePipe();
    if (!input || !output) return std::unexpected((!input ? input : output).error());
    // A pipe takes so little at once, whoever reads it.
    const std::size_t size = std::min(command.input.size(), Command::kMaxInput);
    if (::write(input->writer.get(), command.input.data(), size) < 0)
      return std::unexpected(systemError("pipe", errno));
    ::fcntl(output->reader.get(), F_SETFL, O_NONBLOCK);
    if (const int problem = spawn(command, input->reader.get(), output->writer.get()); problem != 0) {
      pid_ = -1;
      return std::unexpected(systemError(command.words.front(), problem));
    }
    output_ = std::move(output->reader);
    return {};
  }

  // True once. Asked at each SIGCHLD. A descriptor of the process would say so too, but not on kernels
  // before 5.3.
  bool hasEnded() {
    if (pid_ <= 0 || ::waitpid(pid_, &status_, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
  }
  int output() const { return output_.get(); }

  void abandon() { pid_ = -1; }
  void kill() const {
    if (pid_ > 0) ::kill(-pid_, SIGKILL);
  }

  // A pipe's worth at most: the rest of the loop has its turn, however fast the child writes. False at the
  // end of the output.
  bool take(std::string& into) const {
    std::array<char, 4096> buffer;
    for (int i = 0; i < kReads; ++i) {
      const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      if (got == 0) return false;
      // More is read all the same: else it would wait for us for ever.
      into.append(buffer.data(), std::min(static_cast<std::size_t>(got), Ended::kMaxOutput - into.size()));
    }
    return true;
  }

  // Once it has.
  void tellHow(Ended& ended) const {
    if (WIFEXITED(status_)) ended.code = WEXITSTATUS(status_);
    if (WIFSIGNALED(status_)) ended.signal = WTERMSIG(status_);
  }

 private:
  int spawn(const Command& command, int input, int output) {
    const auto environment = environmentFor(command.environment);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    // The daemon ignores SIGPIPE; a script relies on it.
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int problem = ::posix_spawnp(&pid_, command.words.front().c_str(), &files, &attributes,
                                       pointers(command.words).data(), pointers(environment).data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return problem;
  }

  pid_t pid_ = -1;
  int status_ = 0;
  Fd output_;
};

constexpr Interest kReadable{.readable = true};
constexpr Interest kNothing{};
constexpr Duration kDying = std::chrono::seconds(2);

}  // namespace

std::string how(const Ended& ended) {
  if (ended.killed) return "did not end in time, and was killed";
  if (ended.signal != 0) return fmt::format("signal {}", ended.signal);
  return fmt::format("exit code {}", ended.code);
}

Task<Result<Ended>> runChild(UvLoop& loop, Command command, Duration limit) {
  Child child;
  Event over(loop);
  // Before the start, which may be over at once.
  const auto end_watch = loop.onSignal(SIGCHLD, [&] {
    if (child.hasEnded()) over.set();
  });
  const auto started = child.start(command);
  if (!started) co_return std::unexpected(started.error());
  Ended ended;
  std::unique_ptr<UvLoop::FdWatch> output_watch;
  const auto read = [&](Interest) {
    if (!child.take(ended.output)) output_watch->want(kNothing);
  };
  output_watch = loop.watch(child.output(), kReadable, read);
  const bool woken = co_await over.waitFor(limit);
  // Where the loop was late the time is over before the signal is heard, and the child may have ended long
  // ago.
  const bool in_time = woken || over.isSet() || child.hasEnded();
  ended.killed = !in_time;
  if (!in_time) {
    child.kill();
    // One that hangs in the kernel must not hang us.
    const bool dead = co_await over.waitFor(kDying);
    if (!dead) {
      child.abandon();
      co_return ended;
    }
  }
  output_watch->want(kNothing);
  static_cast<void>(child.take(ended.output));
  child.tellHow(ended);
  co_return ended;
}

}  // namespace qimux::async
