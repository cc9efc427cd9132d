// What a qimuxctl meets: a socket with canned answers behind it, and a console that remembers.
#pragma once

#include "qimux/base/fd.hpp"
#include "qimux/ctl/console.hpp"
#include "support/catch.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace qimux::ctl::test {

// A path of its own for each test in each process.
inline std::string socketPath() {
  static int count = 0;
  return "/tmp/qimuxctl-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + ".sock";
}

// Answers each connection's first line with what `reply` makes of it, and hangs up when the client does.
class FakeDaemon {
 public:
  // The text goes out as it is; "" keeps silent. `hang_up`: close after it.
  using Reply = std::function<std::string(const std::string& request)>;

  explicit FakeDaemon(Reply reply, bool hang_up = false, std::string where = socketPath())
      : path(std::move(where)), reply_(std::move(reply)), hang_up_(hang_up) {
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ::unlink(path.c_str());
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 4) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    ::unlink(path.c_str());
  }

  const std::string path;

 private:
  void serve() {
    while (true) {
      const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      std::string request;
      char c = 0;
      while (::recv(client.get(), &c, 1, 0) == 1 && c != '\n') request += c;
      const std::string text = reply_(request);
      [[maybe_unused]] const auto sent = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
      while (!hang_up_ && ::recv(client.get(), &c, 1, 0) > 0) {
      }
    }
  }

  Reply reply_;
  bool hang_up_;
  Fd listener_;
  std::thread thread_;
};

class FakeConsole final : public Console {
 public:
  void out(std::string_view text) override { said += text; }
  void err(std::string_view text) override { complained += text; }
  std::size_t width() const override { return 80; }
  bool canRedraw() const override { return redraw; }
  bool colour() const override { return false; }
  void enterScreen() override { said += "[enter]"; }
  void draw(std::string_view frame) override { frames.emplace_back(frame); }
  void leaveScreen() override { said += "[leave]"; }
  int wakeFd() const override { return wake; }
  bool stopAsked() override { return ++asked > 1; }

  bool redraw = false;
  int wake = -1;
  int asked = 0;
  std::string said;
  std::string complained;
  std::vector<std::string> frames;
};

}  // namespace qimux::ctl::test
