// The real network of this machine, on the loopback interface alone.
#include "qimux/sim/socket_network.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

using namespace qimux;
using namespace qimux::sim;
using namespace std::chrono_literals;

namespace {

constexpr Ipv4 kLoopback{0x7f000001};

// A bound socket of the machine, and its port.
struct Bound {
  explicit Bound(int type) : fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(kLoopback.value);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  Fd fd;
  std::uint16_t port = 0;
};

struct Owner final : SocketEvents {
  explicit Owner(async::UvLoop& uv) : loop(uv) {}
  void opened() override {
    log += "opened ";
    socket->wantReadable(true);
    loop.stop();
  }
  void refused() override {
    log += "refused ";
    loop.stop();
  }
  void readable() override {
    std::array<Byte, 2000> buffer{};
    const Taken taken = socket->receive(buffer);
    log += taken.what == Take::Data     ? std::string(textOf(ByteView(buffer).first(taken.size))) + " "
           : taken.what == Take::Ended  ? "ended "
           : taken.what == Take::Broken ? "broken "
                                        : "nothing ";
    if (taken.what != Take::Data) socket->wantReadable(false);
    loop.stop();
  }
  void writable() override {}

  // Runs until the next event, which comes soon or the test has failed.
  void await() {
    async::Timer limit(loop);
    limit.start(10s, [this] {
      log += "time-out ";
      loop.stop();
    });
    loop.run();
  }

  async::UvLoop& loop;
  std::unique_ptr<Socket> socket;
  std::string log;
};

SocketNetwork::Config mapped() {
  SocketNetwork::Config config;
  config.mappings.push_back({*parseCidr("198.51.100.0/24"), kLoopback});
  config.black_holes.push_back(*parseCidr("203.0.113.0/24"));
  config.hosts["server.example"] = {*parseIpv4("198.51.100.7"), *parseIpv4("192.0.2.1")};
  return config;
}

constexpr Ipv4 kMapped{0xc6336407};

}  // namespace

TEST_CASE("a mapped address reaches a server of this machine, both ways, to the end") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  Bound server(SOCK_STREAM);
  REQUIRE(::listen(server.fd.get(), 1) == 0);
  Owner owner(loop);
  owner.socket = network.open(Protocol::Tcp, {kMapped, server.port}, owner);
  owner.await();
  Fd peer(::accept(server.fd.get(), nullptr, nullptr));
  REQUIRE(peer.valid());
  CHECK(owner.socket->send(bytesOf("ping")) == 4);
  std::array<char, 10> got{};
  CHECK(::read(peer.get(), got.data(), got.size()) == 4);
  CHECK(owner.socket->unacknowledged() == 0);
  REQUIRE(::write(peer.get(), "pong", 4) == 4);
  owner.await();
  peer.reset();
  owner.await();
  CHECK(owner.log == "opened pong ended ");
}

TEST_CASE("nobody there is refused, a reset is broken, a hole says nothing") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  Bound server(SOCK_STREAM);
  Owner refused(loop);
  refused.socket = network.open(Protocol::Tcp, {kMapped, server.port}, refused);
  refused.await();
  CHECK(refused.log == "refused ");

  REQUIRE(::listen(server.fd.get(), 1) == 0);
  Owner broken(loop);
  broken.socket = network.open(Protocol::Tcp, {kMapped, server.port}, broken);
  broken.await();
  Fd peer(::accept(server.fd.get(), nullptr, nullptr));
  const linger hard{1, 0};
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  peer.reset();
  broken.await();
  CHECK(broken.log == "opened broken ");

  Owner hole(loop);
  hole.socket = network.open(Protocol::Tcp, {*parseIpv4("203.0.113.1"), 80}, hole);
  async::Timer enough(loop);
  enough.start(50ms, [&] { loop.stop(); });
  loop.run();
  CHECK(hole.log.empty());
}

TEST_CASE("a datagram goes and comes back") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  Bound server(SOCK_DGRAM);
  Owner owner(loop);
  owner.socket = network.open(Protocol::Udp, {kMapped, server.port}, owner);
  owner.await();
  owner.socket->send(bytesOf("ping"));
  std::array<char, 10> got{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  REQUIRE(::recvfrom(server.fd.get(), got.data(), got.size(), 0, reinterpret_cast<sockaddr*>(&from), &size) ==
          4);
  ::sendto(server.fd.get(), "pong", 4, 0, reinterpret_cast<sockaddr*>(&from), size);
  owner.await();
  CHECK(owner.log == "opened pong ");
}

TEST_CASE("names are those that were given, in any case of letters, and no others") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  std::vector<std::size_t> counts;
  for (const char* host : {"Server.EXAMPLE", "localhost"}) {
    network.resolve(host, [&](std::vector<Ipv4> found) {
      counts.push_back(found.size());
      loop.stop();
    });
    loop.run();
  }
  CHECK(counts == std::vector<std::size_t>{2, 0});
}

namespace {

// What an echo request to it comes to.
std::optional<async::Duration> echo(async::UvLoop& loop, SocketNetwork& network, const char* address) {
  std::optional<async::Duration> result;
  network.ping(*parseIpv4(address), 50ms, [&](std::optional<async::Duration> time) {
    result = time;
    loop.stop();
  });
  loop.run();
  return result;
}

// Whether this machine lets us send echo requests.
bool mayPing() {
  return Fd(::socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)).valid() ||
         Fd(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)).valid();
}

}  // namespace

TEST_CASE("what is mapped or named answers a ping at once, a hole never") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  CHECK(echo(loop, network, "198.51.100.7") == 0ms);
  CHECK(echo(loop, network, "192.0.2.1") == 0ms);
  const async::TimePoint begin = loop.now();
  CHECK(echo(loop, network, "203.0.113.1") == std::nullopt);
  CHECK(loop.now() - begin >= 50ms);
}

TEST_CASE("a real address is asked for an echo, where the machine lets us") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  // Of the loopback network, and not mapped.
  const auto time = echo(loop, network, "127.0.0.1");
  CHECK(time.has_value() == mayPing());
  if (time) CHECK(*time < 50ms);
  // Several at a time, and the end of the network while they wait, do no harm.
  int answers = 0;
  {
    SocketNetwork other(loop, {});
    for (int i = 0; i < 3; ++i) {
      other.ping(kLoopback, 5s, [&](std::optional<async::Duration>) {
        if (++answers == 3) loop.stop();
      });
    }
    if (mayPing()) loop.run();
    CHECK(answers == (mayPing() ? 3 : 0));
    other.ping(kLoopback, 5s, [&](std::optional<async::Duration>) { ++answers; });
  }
  async::Timer enough(loop);
  enough.start(20ms, [&] { loop.stop(); });
  loop.run();
  CHECK(answers == (mayPing() ? 3 : 0));
}

TEST_CASE("the machine's resolver is asked beside the loop") {
  async::UvLoop loop;
  SocketNetwork::Config config = mapped();
  config.use_resolver = true;
  SocketNetwork network(loop, config);
  bool returned = false;
  std::vector<std::vector<Ipv4>> found;
  for (const char* host : {"localhost", "server.example"}) {
    network.resolve(host, [&](std::vector<Ipv4> addresses) {
      CHECK(returned);
      found.push_back(std::move(addresses));
      if (found.size() == 2) loop.stop();
    });
  }
  returned = true;
  async::Timer limit(loop);
  limit.start(10s, [&] { loop.stop(); });
  loop.run();
  REQUIRE(found.size() == 2);
  // The given one needs no thread.
  CHECK(found[0].size() == 2);
  CHECK(found[1] == std::vector<Ipv4>{kLoopback});
  // A question that is under way when the network goes is forgotten.
  {
    SocketNetwork other(loop, config);
    other.resolve("localhost", [&](std::vector<Ipv4>) { found.clear(); });
  }
  async::Timer enough(loop);
  enough.start(50ms, [&] { loop.stop(); });
  loop.run();
  CHECK(found.size() == 2);
}

TEST_CASE("a reset is told of while nothing is wanted, an end of the data only when it is") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  Bound server(SOCK_STREAM);
  REQUIRE(::listen(server.fd.get(), 1) == 0);
  for (const bool hard : {true, false}) {
    Owner owner(loop);
    owner.socket = network.open(Protocol::Tcp, {kMapped, server.port}, owner);
    owner.await();
    owner.socket->wantReadable(false);
    Fd peer(::accept(server.fd.get(), nullptr, nullptr));
    if (hard) {
      const linger off{1, 0};
      ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &off, sizeof off);
    }
    peer.reset();
    async::Timer enough(loop);
    if (hard) {
      owner.await();
    } else {
      enough.start(300ms, [&] { loop.stop(); });
      loop.run();
    }
    CHECK(owner.log == (hard ? "opened broken " : "opened "));
  }
}

TEST_CASE("what is sent after a reset counts as unacknowledged") {
  async::UvLoop loop;
  SocketNetwork network(loop, mapped());
  Bound server(SOCK_STREAM);
  REQUIRE(::listen(server.fd.get(), 1) == 0);
  Owner owner(loop);
  owner.socket = network.open(Protocol::Tcp, {kMapped, server.port}, owner);
  owner.await();
  Fd peer(::accept(server.fd.get(), nullptr, nullptr));
  const linger off{1, 0};
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &off, sizeof off);
  peer.reset();
  CHECK(owner.socket->send(bytesOf("lost")) == 4);
  CHECK(owner.socket->unacknowledged() == 4);
  CHECK(owner.socket->silence() == 0ms);
}
