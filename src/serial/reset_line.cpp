#include "qimux/serial/reset_line.hpp"

#include "qimux/async/event.hpp"
#include "qimux/base/fd.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

extern char** environ;

namespace qimux::serial {
namespace {

// Releases the line wherever the coroutine that holds it ends.
template <typename Release>
class Held {
 public:
  explicit Held(Release release) : release_(std::move(release)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { release_(); }

 private:
  Release release_;
};

class ModemResetLine final : public ResetLine {
 public:
  ModemResetLine(async::Loop& loop, ModemLine line) : loop_(loop), line_(line) {}

  async::Task<Result<void>> pulse(Port& port) override {
    const auto asserted = port.setLine(line_, true);
    if (!asserted) co_return asserted;
    const Held release([this, &port] { static_cast<void>(port.setLine(line_, false)); });
    co_await async::sleep(loop_, kPulse);
    co_return Result<void>();
  }

 private:
  async::Loop& loop_;
  ModemLine line_;
};

class GpioResetLine final : public ResetLine {
 public:
  GpioResetLine(async::Loop& loop, std::string chip, unsigned line)
      : loop_(loop), chip_(std::move(chip)), line_(line) {}

  async::Task<Result<void>> pulse(Port&) override {
    if (output_ == nullptr) {
      auto opened = GpioOutput::open(chip_, line_);
      if (!opened) co_return std::unexpected(opened.error());
      output_ = std::move(*opened);
    }
    const auto asserted = output_->set(true);
    if (!asserted) co_return asserted;
    const Held release([this] { static_cast<void>(output_->set(false)); });
    co_await async::sleep(loop_, kPulse);
    co_return Result<void>();
  }

 private:
  async::Loop& loop_;
  std::string chip_;
  unsigned line_;
  std::unique_ptr<GpioOutput> output_;
};

// A child that is killed and reaped where it has not ended by itself.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  Result<void> start(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    // The daemon ignores SIGPIPE; a script relies on it.
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int problem =
        ::posix_spawn(&pid_, command.front().c_str(), nullptr, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    if (problem != 0) {
      pid_ = -1;
      return std::unexpected(systemError(command.front(), problem));
    }
    handle_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!handle_.valid()) return std::unexpected(systemError("pidfd_open", errno));
    return {};
  }

  // Readable when it has ended.
  int handle() const { return handle_.get(); }

  Result<void> reap(const std::string& program) {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    const std::string how = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                              : fmt::format("signal {}", WTERMSIG(status));
    return std::unexpected(Error{ErrorKind::System, program, how});
  }

 private:
  pid_t pid_ = -1;
  Fd handle_;
};

class CommandResetLine final : public ResetLine {
 public:
  CommandResetLine(async::UvLoop& loop, std::vector<std::string> command)
      : loop_(loop), command_(std::move(command)) {}

  async::Task<Result<void>> pulse(Port&) override {
    Child child;
    const auto started = child.start(command_);
    if (!started) co_return started;
    async::Event ended(loop_);
    const auto watch = loop_.watch(child.handle(), kReadable, [&ended](async::Interest) { ended.set(); });
    const bool in_time = co_await ended.waitFor(kCommandTime);
    watch->want(kNothing);
    if (in_time) co_return child.reap(command_.front());
    co_return std::unexpected(Error{ErrorKind::Timeout, command_.front(), "did not end, and was killed"});
  }

 private:
  static constexpr async::Interest kReadable{.readable = true};
  static constexpr async::Interest kNothing{};
  async::UvLoop& loop_;
  std::vector<std::string> command_;
};

}  // namespace

std::unique_ptr<ResetLine> ResetLine::make(async::UvLoop& loop, const ResetSettings& settings) {
  switch (settings.kind) {
    case ResetSettings::Kind::None:
      break;
    case ResetSettings::Kind::Dtr:
      return std::make_unique<ModemResetLine>(loop, ModemLine::Dtr);
    case ResetSettings::Kind::Rts:
      return std::make_unique<ModemResetLine>(loop, ModemLine::Rts);
    case ResetSettings::Kind::Gpio:
      return std::make_unique<GpioResetLine>(loop, settings.chip, settings.line);
    case ResetSettings::Kind::Command:
      return std::make_unique<CommandResetLine>(loop, settings.command);
  }
  return nullptr;
}

}  // namespace qimux::serial
