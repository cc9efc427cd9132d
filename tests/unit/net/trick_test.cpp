// The whole way with real kernels at both ends: a program's socket, the outer TUN, the gate, the inner TUN,
// the inner listener. Only the far end is this test.
#include "qimux/net/ack_gate.hpp"
#include "qimux/net/interface.hpp"
#include "qimux/net/packet.hpp"
#include "qimux/net/private_namespace.hpp"
#include "support/catch.hpp"
#include "unit/net/kernel_rooms.hpp"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>

namespace qimux::net {
namespace {

constexpr Endpoint kFar{0xc6336407, 80};
constexpr std::uint16_t kNatPort = 4242;

// The bridge in small: one flow.
class Way {
 public:
  Way(OuterInterface outer, PrivateNamespace inner) : outer_(std::move(outer)), inner_(std::move(inner)) {}

  // Carries packets until `done`; false where five seconds pass before.
  bool carryUntil(const std::function<bool()>& done) {
    for (int quiet = 0; quiet < 500; ++quiet) {
      while (inward() || outward()) quiet = 0;
      if (done()) return true;
      std::array<pollfd, 2> ready{{{outer_.tun().fd(), POLLIN, 0}, {inner_.tun().fd(), POLLIN, 0}}};
      ::poll(ready.data(), ready.size(), 10);
    }
    return false;
  }
  bool report(std::uint64_t acknowledged) {
    const auto fresh = gate_.advance(acknowledged);
    return fresh && outer_.tun().write(*fresh);
  }
  int listener() const { return inner_.listener(); }
  const AckGate& gate() const { return gate_; }

 private:
  std::optional<Packet> next(Tun& tun) {
    buffer_.assign(2048, 0);
    const auto length = tun.read(buffer_);
    if (!length || *length == 0) return std::nullopt;
    return Packet::parse(ByteSpan(buffer_).first(*length));
  }
  bool inward() {
    auto packet = next(outer_.tun());
    if (!packet || !packet->tcp()) return packet.has_value();
    program_ = packet->source();
    gate_.observe(*packet);
    packet->setSource({kInnerPeer, kNatPort});
    packet->setDestination(kInnerListener);
    return inner_.tun().write(packet->bytes()).has_value();
  }
  bool outward() {
    auto packet = next(inner_.tun());
    if (!packet || !packet->tcp()) return packet.has_value();
    packet->setSource(kFar);
    packet->setDestination(program_);
    if (gate_.filter(*packet) == AckGate::Verdict::Swallow) return true;
    return outer_.tun().write(packet->bytes()).has_value();
  }

  OuterInterface outer_;
  PrivateNamespace inner_;
  AckGate gate_;
  Endpoint program_;
  Bytes buffer_;
};

int outstanding(int socket) {
  int bytes = -1;
  ::ioctl(socket, SIOCOUTQ, &bytes);
  return bytes;
}

tcp_info infoOf(int socket) {
  tcp_info info{};
  socklen_t length = sizeof info;
  ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length);
  return info;
}

// Reads until `bytes` have come; carries meanwhile.
bool readAll(Way& way, int socket, std::size_t bytes) {
  std::array<char, 4096> buffer;
  std::size_t got = 0;
  return way.carryUntil([&] {
    const ssize_t length = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length > 0) got += static_cast<std::size_t>(length);
    return got >= bytes;
  });
}

struct Connected {
  std::unique_ptr<Way> way;
  Fd program;
  Fd inner;
};

std::string connectThrough(Connected& made) {
  OuterInterface::Options options;
  options.address = {0x0a404001, 30};
  options.routes = {{0, 0}};
  auto outer = OuterInterface::create(options);
  QIMUX_NEED_OK(outer);
  auto inner = PrivateNamespace::create({});
  QIMUX_NEED_OK(inner);
  made.way = std::make_unique<Way>(std::move(*outer), std::move(*inner));
  made.program = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(kFar.address);
  name.sin_port = htons(kFar.port);
  QIMUX_NEED(::connect(made.program.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) < 0);
  QIMUX_NEED(errno == EINPROGRESS);
  const int listener = made.way->listener();
  QIMUX_NEED(made.way->carryUntil([&] {
    if (!made.inner.valid()) made.inner = Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    return made.inner.valid();
  }));
  return {};
}

std::string queueTellsTheTruth() {
  Connected made;
  if (auto said = connectThrough(made); !said.empty()) return said;
  const Bytes data(1000, 'x');
  const int program = made.program.get();
  QIMUX_NEED(::send(program, data.data(), data.size(), MSG_NOSIGNAL) == 1000);
  QIMUX_NEED(readAll(*made.way, made.inner.get(), 1000));
  QIMUX_NEED(made.way->carryUntil([&] { return made.way->gate().unconfirmed() == 1000; }));
  QIMUX_NEED(outstanding(program) == 1000);
  QIMUX_NEED(made.way->report(400));
  QIMUX_NEED(outstanding(program) == 600);
  QIMUX_NEED(made.way->report(1000));
  QIMUX_NEED(outstanding(program) == 0);
  return {};
}

// Many windows' worth, confirmed late and in odd pieces: all arrives, and the queue never lies.
std::string bulkWithLateReports() {
  Connected made;
  if (auto said = connectThrough(made); !said.empty()) return said;
  constexpr std::size_t kTotal = 200'000;
  const Bytes data(kTotal, 'x');
  const int program = made.program.get();
  std::array<char, 4096> buffer;
  std::size_t sent = 0;
  std::size_t got = 0;
  std::size_t confirmed = 0;
  bool truth = true;
  const bool done = made.way->carryUntil([&] {
    const ssize_t more = ::send(program, data.data() + sent, kTotal - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (more > 0) sent += static_cast<std::size_t>(more);
    const ssize_t length = ::recv(made.inner.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length > 0) got += static_cast<std::size_t>(length);
    const std::size_t lag = got < kTotal ? 2777 : 0;
    if (got > confirmed + lag) confirmed += (got - confirmed - lag + 2) / 3;
    (void)made.way->report(confirmed);
    truth = truth && outstanding(program) >= static_cast<int>(sent - confirmed);
    return confirmed == kTotal && outstanding(program) == 0;
  });
  QIMUX_NEED(truth);
  QIMUX_NEED(done);
  QIMUX_NEED(infoOf(program).tcpi_total_retrans < 20);
  return {};
}

std::string closeWaitsForTheTruth() {
  Connected made;
  if (auto said = connectThrough(made); !said.empty()) return said;
  const int program = made.program.get();
  QIMUX_NEED(::send(program, "bye", 3, MSG_NOSIGNAL) == 3);
  QIMUX_NEED(::shutdown(program, SHUT_WR) == 0);
  QIMUX_NEED(readAll(*made.way, made.inner.get(), 3));
  QIMUX_NEED(made.way->carryUntil([&] {
    char end = 0;
    const bool closed = ::recv(made.inner.get(), &end, 1, MSG_DONTWAIT) == 0;
    return closed && made.way->gate().unconfirmed() == 3;
  }));
  constexpr int kFinWait1 = 4;
  constexpr int kFinWait2 = 5;
  QIMUX_NEED(infoOf(program).tcpi_state == kFinWait1);
  QIMUX_NEED(made.way->report(2));
  QIMUX_NEED(infoOf(program).tcpi_state == kFinWait1);
  QIMUX_NEED(made.way->report(3));
  QIMUX_NEED(made.way->carryUntil([&] { return infoOf(program).tcpi_state == kFinWait2; }));
  return {};
}

}  // namespace

TEST_CASE("a program's send queue shrinks only by what the far end has confirmed") {
  CHECK(test::inOwnNamespace(queueTellsTheTruth) == "");
}
TEST_CASE("two hundred kilobytes with late confirmations arrive, and the queue never lies") {
  CHECK(test::inOwnNamespace(bulkWithLateReports) == "");
}
TEST_CASE("a program's FIN is acknowledged when its last byte is confirmed") {
  CHECK(test::inOwnNamespace(closeWaitsForTheTruth) == "");
}

}  // namespace qimux::net
