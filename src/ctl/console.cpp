#include "qimux/ctl/console.hpp"

#include "qimux/base/fd.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace qimux::ctl {
namespace {

// Another screen than the shell's, without a cursor, and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K\n";
constexpr std::string_view kClearBelow = "\x1b[J";
constexpr std::size_t kUsualWidth = 80;
constexpr std::size_t kUsualHeight = 24;

constexpr std::array kWatched{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

void writeAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    // A reader that is gone (SIGPIPE is what usually says so) needs nothing more.
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool isSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

class Terminal final : public Console {
 public:
  Terminal() : terminal_(::isatty(STDOUT_FILENO) == 1) {
    const char* term = std::getenv("TERM");
    smart_ = terminal_ && term != nullptr && std::string_view(term) != "dumb";
  }
  ~Terminal() override { leaveScreen(); }

  void out(std::string_view text) override { writeAll(STDOUT_FILENO, text); }
  void err(std::string_view text) override { writeAll(STDERR_FILENO, text); }

  std::size_t width() const override {
    if (!terminal_) return 0;
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
    return size.ws_col;
  }
  bool canRedraw() const override { return smart_; }
  bool colour() const override { return smart_ && !isSet("NO_COLOR"); }

  // Signals come through a descriptor, so that none arrives between a look and a wait.
  void enterScreen() override {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : kWatched) ::sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    out(kEnter);
  }

  void draw(std::string_view frame) override {
    std::string text(kHome);
    // A line past the last row would scroll away the first.
    for (std::size_t row = 1; row < height() && !frame.empty(); ++row) {
      const std::size_t end = frame.find('\n');
      text += frame.substr(0, end);
      text += kClearLine;
      frame.remove_prefix(end == std::string_view::npos ? frame.size() : end + 1);
    }
    out(text.append(kClearBelow));
  }

  void leaveScreen() override {
    if (!signals_.valid()) return;
    out(kLeave);
    // What came meanwhile has been seen here, and is not to strike again.
    while (nextSignal() != 0) {
    }
    signals_.reset();
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  int wakeFd() const override { return signals_.get(); }

  bool stopAsked() override {
    int signal = 0;
    while ((signal = nextSignal()) != 0) {
      if (signal == SIGWINCH) continue;
      if (signal != SIGTSTP) return true;
      leaveScreen();
      ::raise(SIGSTOP);
      enterScreen();
    }
    return false;
  }

 private:
  static std::size_t height() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return kUsualHeight;
    return size.ws_row;
  }
  int nextSignal() {
    signalfd_siginfo info{};
    return ::read(signals_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

  bool terminal_;
  bool smart_ = false;
  Fd signals_;
  sigset_t before_{};
};

}  // namespace

std::unique_ptr<Console> openConsole() {
  return std::make_unique<Terminal>();
}

}  // namespace qimux::ctl
