#include "qimux/bridge/socket_stream.hpp"

#include "support/catch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;
using Input = AppStream::Input;

namespace {

// Two ends of a TCP connection over the loopback; buffers are small, so that they fill up.
struct Rig {
  Rig() {
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    const int small = 4096;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    REQUIRE(::bind(listener.get(), raw, length) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    REQUIRE(::getsockname(listener.get(), raw, &length) == 0);
    program = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(program.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    REQUIRE(::connect(program.get(), raw, length) == 0);
    stream = std::make_unique<SocketStream>(
        loop, Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
    stream->onChange([this] { ++changes; });
  }
  // Until `done`, which is a matter of microseconds; 10 s is for a defect.
  bool until(std::function<bool()> done) {
    bool late = false;
    async::Timer limit(loop), beat(loop);
    limit.start(10s, [&] { late = true; });
    std::function<void()> look = [&] {
      if (done() || late) return loop.stop();
      beat.start(1ms, [&] { look(); });
    };
    look();
    if (!done() && !late) loop.run();
    return !late;
  }
  void write(std::string_view text) {
    REQUIRE(::send(program.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  std::string read() {
    std::array<char, 65536> buffer{};
    const auto count = ::recv(program.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  std::string take(std::size_t size) {
    std::string out(size, '\0');
    out.resize(stream->read(ByteSpan(reinterpret_cast<Byte*>(out.data()), out.size())));
    return out;
  }

  async::UvLoop loop;
  Fd program;
  std::unique_ptr<SocketStream> stream;
  int changes = 0;
};

}  // namespace

TEST_CASE("what the program writes can be read, as much at a time as is wanted") {
  Rig rig;
  CHECK(rig.stream->readable() == 0);
  CHECK(rig.stream->input() == Input::Open);
  rig.write("hello");
  CHECK(rig.until([&] { return rig.stream->readable() == 5; }));
  CHECK(rig.changes > 0);
  CHECK(rig.take(2) == "he");
  CHECK(rig.stream->readable() == 3);
  CHECK(rig.take(100) == "llo");
  CHECK(rig.stream->readable() == 0);
  CHECK(rig.stream->input() == Input::Open);
  // And again: reading was watched for anew.
  rig.write("more");
  CHECK(rig.until([&] { return rig.stream->readable() == 4; }));
}

TEST_CASE("what nobody reads is not reported again and again") {
  Rig rig;
  rig.write("hello");
  CHECK(rig.until([&] { return rig.stream->readable() > 0; }));
  const int before = rig.changes;
  int turns = 0;
  CHECK(rig.until([&] { return ++turns > 30; }));
  CHECK(rig.changes <= before + 1);
}

TEST_CASE("the program's end comes behind its bytes") {
  Rig rig;
  rig.write("last");
  ::shutdown(rig.program.get(), SHUT_WR);
  CHECK(rig.until([&] { return rig.stream->readable() == 4; }));
  CHECK(rig.take(100) == "last");
  CHECK(rig.until([&] { return rig.stream->readable() == 0 && rig.stream->input() == Input::Ended; }));
  // The other direction is still open.
  CHECK(rig.stream->write(bytesOf("answer")) == 6);
  std::string got;
  CHECK(rig.until([&] {
    got += rig.read();
    return got == "answer";
  }));
}

TEST_CASE("a program that resets is seen, and what is written to it goes nowhere") {
  Rig rig;
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(rig.program.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  rig.program.reset();
  CHECK(rig.until([&] {
    rig.stream->readable();
    return rig.stream->input() == Input::Reset;
  }));
  CHECK(rig.stream->readable() == 0);
  CHECK(rig.take(10).empty());
  CHECK(rig.stream->write(bytesOf("void")) == 4);
  CHECK(rig.stream->drained());
}

TEST_CASE("a reset is found by writing, too") {
  Rig rig;
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(rig.program.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  rig.program.reset();
  CHECK(rig.stream->write(bytesOf("x")) == 1);
  CHECK(rig.stream->input() == Input::Reset);
}

TEST_CASE("a slow program: what has no room is not taken, and room is told") {
  Rig rig;
  const std::string block(65536, 'x');
  std::string sent;
  CHECK(rig.stream->writable());
  while (rig.stream->writable()) {
    const auto taken = rig.stream->write(bytesOf(block));
    sent += block.substr(0, taken);
    REQUIRE(sent.size() < 10'000'000);
  }
  CHECK_FALSE(rig.stream->drained());
  std::string got;
  CHECK(rig.until([&] {
    got += rig.read();
    return rig.stream->writable();
  }));
  CHECK(rig.until([&] {
    got += rig.read();
    return got.size() == sent.size();
  }));
  CHECK(rig.until([&] { return rig.stream->drained(); }));
}

TEST_CASE("an end of output is the program's end of file") {
  Rig rig;
  rig.stream->write(bytesOf("bye"));
  rig.stream->endOutput();
  rig.stream.reset();
  char buffer[8];
  CHECK(::recv(rig.program.get(), buffer, sizeof buffer, MSG_WAITALL) == 3);
  CHECK(::recv(rig.program.get(), buffer, sizeof buffer, 0) == 0);
}

TEST_CASE("a reset is ECONNRESET for the program, also where unread bytes wait") {
  Rig rig;
  rig.write("unread");
  rig.stream->write(bytesOf("lost"));
  rig.stream->reset();
  char buffer[8];
  // What was there before may still be read; then comes the truth.
  ssize_t count = 0;
  do {
    count = ::recv(rig.program.get(), buffer, sizeof buffer, 0);
  } while (count > 0);
  CHECK(count == -1);
  CHECK(errno == ECONNRESET);
  // It may be looked at, and reset, once more.
  CHECK(rig.stream->input() == Input::Reset);
  CHECK(rig.stream->readable() == 0);
  rig.stream->reset();
}
