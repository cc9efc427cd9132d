// Far ends that come by themselves: scripted ones, and real ones on the loopback interface.
#include "qimux/base/fd.hpp"
#include "qimux/sim/connection.hpp"
#include "qimux/sim/socket_network.hpp"
#include "rig.hpp"
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
using namespace qimux::sim::test;

namespace {

constexpr Endpoint kCaller{kServer, 40000};

// Keeps what knocks, and answers when the test says so.
struct Door final : ListenerEvents {
  void knocks(Endpoint remote) override {
    knocked.push_back(remote);
    if (then) then();
  }
  std::vector<Endpoint> knocked;
  std::function<void()> then;
};

// A socket of it, and all that it tells.
struct Owner final : SocketEvents {
  void opened() override { log += "opened "; }
  void refused() override { log += "refused "; }
  void readable() override {
    std::array<Byte, 2000> buffer{};
    const Taken taken = socket->receive(buffer);
    if (taken.what == Take::Data) {
      log += textOf(ByteView(buffer).first(taken.size));
      log += ' ';
    } else {
      log += taken.what == Take::Ended ? "ended " : taken.what == Take::Broken ? "broken " : "nothing ";
      socket->wantReadable(false);
    }
    if (then) then();
  }
  void writable() override {}
  std::unique_ptr<Socket> socket;
  std::string log;
  std::function<void()> then;
};

// Says hello when it is let in.
class Caller final : public VirtualPeer {
 public:
  explicit Caller(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) { seen_->peer = this; }
  ~Caller() override { seen_->peer = nullptr; }
  void connected() override { send(bytesOf("hello")); }
  void received(ByteView bytes) override { seen_->received += textOf(bytes); }
  void ended(bool reset) override {
    seen_->ended = true;
    seen_->was_reset = reset;
  }

 private:
  std::shared_ptr<Seen> seen_;
};

struct VirtualWorld {
  async::VirtualLoop loop;
  VirtualNetwork network{loop};
  Door door;
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  bool call(Protocol protocol, std::uint16_t port, Endpoint from = kCaller) {
    return network.call(protocol, port, from, std::make_unique<Caller>(seen));
  }
};

// What a connection tells the stack.
struct Told final : ConnectionEvents {
  void connected(Connection&) override { log += "connected "; }
  void failed(Connection&) override { log += "failed "; }
  void arrived(Connection&, std::size_t size) override { log += std::to_string(size) + " "; }
  void ended(Connection&, bool reset) override { log += reset ? "reset " : "ended "; }
  void left(Connection&) override { log += "left "; }
  std::string log;
};

}  // namespace

TEST_CASE("nobody comes in where nobody listens, and a port is taken once", "[listener]") {
  VirtualWorld world;
  CHECK_FALSE(world.call(Protocol::Tcp, 2020));
  auto listener = world.network.listen(Protocol::Tcp, 2020, world.door);
  REQUIRE(listener != nullptr);
  CHECK(world.network.listen(Protocol::Tcp, 2020, world.door) == nullptr);
  CHECK(world.network.listen(Protocol::Udp, 2020, world.door) != nullptr);
  CHECK_FALSE(world.call(Protocol::Tcp, 2021));
  listener.reset();
  CHECK_FALSE(world.call(Protocol::Tcp, 2020));
  CHECK(world.network.listen(Protocol::Tcp, 2020, world.door) != nullptr);
}

TEST_CASE("a scripted far end is accepted, and bytes pass both ways to the end", "[listener]") {
  VirtualWorld world;
  auto listener = world.network.listen(Protocol::Tcp, 2020, world.door);
  REQUIRE(world.call(Protocol::Tcp, 2020));
  CHECK(world.door.knocked.empty());
  world.loop.runFor(1ms);
  REQUIRE(world.door.knocked == std::vector<Endpoint>{kCaller});
  Owner owner;
  owner.socket = listener->accept(owner);
  world.loop.runFor(1ms);
  CHECK(owner.log.empty());
  owner.socket->wantReadable(true);
  owner.socket->send(bytesOf("welcome"));
  world.loop.runFor(1ms);
  CHECK(world.seen->received == "welcome");
  // The end of the waiting is not the end of the connection.
  listener.reset();
  world.seen->peer->close();
  world.loop.runFor(1ms);
  CHECK(owner.log == "hello ended ");
  owner.socket.reset();
  world.loop.runFor(1ms);
  CHECK(world.seen->ended);
  CHECK_FALSE(world.seen->was_reset);
}

TEST_CASE("far ends knock one at a time, and who is refused sees a reset", "[listener]") {
  VirtualWorld world;
  auto listener = world.network.listen(Protocol::Tcp, 2020, world.door);
  const auto second = std::make_shared<Seen>();
  const auto third = std::make_shared<Seen>();
  REQUIRE(world.call(Protocol::Tcp, 2020));
  REQUIRE(world.network.call(Protocol::Tcp, 2020, kEcho, std::make_unique<Caller>(second)));
  REQUIRE(world.network.call(Protocol::Tcp, 2020, kQuiet, std::make_unique<Caller>(third)));
  world.loop.runFor(1s);
  CHECK(world.door.knocked.size() == 1);
  listener->refuse();
  world.loop.runFor(1s);
  CHECK(world.seen->was_reset);
  CHECK(world.door.knocked == std::vector<Endpoint>{kCaller, kEcho});
  CHECK_FALSE(second->ended);
  // Who knocks and who waits for it are turned away with the listener.
  listener.reset();
  world.loop.runFor(1ms);
  CHECK(second->was_reset);
  CHECK(third->was_reset);
}

TEST_CASE("too many who wait are not let in", "[listener]") {
  VirtualWorld world;
  auto listener = world.network.listen(Protocol::Tcp, 2020, world.door);
  int let_in = 0;
  while (let_in < 100 && world.call(Protocol::Tcp, 2020)) ++let_in;
  CHECK(let_in == 16);
}

TEST_CASE("UDP: the first datagram knocks and can be received, a refused one is lost", "[listener]") {
  VirtualWorld world;
  auto listener = world.network.listen(Protocol::Udp, 3030, world.door);
  REQUIRE(world.call(Protocol::Udp, 3030));
  world.loop.runFor(1ms);
  REQUIRE(world.door.knocked.size() == 1);
  listener->refuse();
  world.loop.runFor(1s);
  CHECK(world.door.knocked.size() == 1);
  CHECK_FALSE(world.seen->ended);
  world.seen->peer->send(bytesOf("again"));
  world.loop.runFor(1ms);
  REQUIRE(world.door.knocked.size() == 2);
  Owner owner;
  owner.socket = listener->accept(owner);
  owner.socket->wantReadable(true);
  owner.socket->send(bytesOf("answer"));
  world.seen->peer->send(bytesOf("more"));
  world.loop.runFor(1ms);
  CHECK(owner.log == "again more ");
  CHECK(world.seen->received == "answer");
  CHECK(world.door.knocked.size() == 2);
}

TEST_CASE("an accepted connection is open at once and receives only after start()", "[listener]") {
  VirtualWorld world;
  auto listener = world.network.listen(Protocol::Tcp, 2020, world.door);
  REQUIRE(world.call(Protocol::Tcp, 2020));
  world.loop.runFor(1ms);
  Options options;
  options.rtt = 100ms;
  Air air(world.loop, options);
  Told told;
  Connection connection(world.loop, options, air, told, Protocol::Tcp, kCaller, *listener);
  CHECK(connection.open());
  CHECK(connection.remote() == kCaller);
  world.loop.runFor(1s);
  CHECK(told.log.empty());
  connection.start();
  world.loop.runFor(49ms);
  CHECK(told.log.empty());
  world.loop.runFor(2ms);
  CHECK(told.log == "5 ");
  CHECK(connection.send(bytesOf("welcome")));
  world.loop.runFor(99ms);
  CHECK(world.seen->received == "welcome");
  CHECK(connection.counters().acknowledged == 0);
  world.loop.runFor(2ms);
  CHECK(connection.counters().acknowledged == 7);
}

namespace {

// An address of the loopback network that is this process's own, so that no port of it is anybody else's.
Ipv4 ownAddress() {
  const auto id = static_cast<std::uint32_t>(::getpid());
  return Ipv4{0x7f400001 | ((id & 0x1fffff) << 1)};
}

constexpr std::uint16_t kPort = 2020;

struct RealWorld {
  RealWorld() : network(loop, config()) {
    door.then = [this] { loop.stop(); };
    owner.then = [this] { loop.stop(); };
  }
  static SocketNetwork::Config config() {
    SocketNetwork::Config result;
    result.inbound = ownAddress();
    return result;
  }
  // Runs until something is told, which is soon or the test has failed.
  bool await() {
    bool late = false;
    async::Timer limit(loop);
    limit.start(10s, [&] {
      late = true;
      loop.stop();
    });
    loop.run();
    return !late;
  }
  // Nothing is told for a while.
  bool quiet() {
    bool none = false;
    async::Timer enough(loop);
    enough.start(50ms, [&] {
      none = true;
      loop.stop();
    });
    loop.run();
    return none;
  }
  // A far end of its own.
  static Fd comes(int type) {
    Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(ownAddress().value);
    address.sin_port = htons(kPort);
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }
  static std::string heard(const Fd& fd) {
    std::array<char, 100> buffer{};
    const ssize_t size = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    return size < 0 ? "reset" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

  async::UvLoop loop;
  SocketNetwork network;
  Door door;
  Owner owner;
};

}  // namespace

TEST_CASE("a real client is accepted on a real port, one is refused", "[listener]") {
  RealWorld world;
  auto listener = world.network.listen(Protocol::Tcp, kPort, world.door);
  REQUIRE(listener != nullptr);
  CHECK(world.network.listen(Protocol::Tcp, kPort, world.door) == nullptr);
  const Fd first = RealWorld::comes(SOCK_STREAM);
  const Fd second = RealWorld::comes(SOCK_STREAM);
  REQUIRE(world.await());
  CHECK(world.quiet());
  REQUIRE(world.door.knocked.size() == 1);
  world.owner.socket = listener->accept(world.owner);
  REQUIRE(world.await());
  CHECK(world.door.knocked.size() == 2);
  listener->refuse();
  CHECK(RealWorld::heard(second) == "reset");
  // The connection outlives the listener, and the port can be had again beside it.
  listener.reset();
  listener = world.network.listen(Protocol::Tcp, kPort, world.door);
  CHECK(listener != nullptr);
  CHECK(world.owner.socket->send(bytesOf("welcome")) == 7);
  CHECK(RealWorld::heard(first) == "welcome");
  REQUIRE(::send(first.get(), "hello", 5, 0) == 5);
  CHECK(world.quiet());
  world.owner.socket->wantReadable(true);
  REQUIRE(world.await());
  CHECK(world.owner.log == "hello ");
}

TEST_CASE("real datagrams are told apart by where they come from", "[listener]") {
  RealWorld world;
  auto listener = world.network.listen(Protocol::Udp, kPort, world.door);
  REQUIRE(listener != nullptr);
  CHECK(world.network.listen(Protocol::Udp, kPort, world.door) == nullptr);
  const Fd first = RealWorld::comes(SOCK_DGRAM);
  const Fd second = RealWorld::comes(SOCK_DGRAM);
  REQUIRE(::send(first.get(), "one", 3, 0) == 3);
  REQUIRE(world.await());
  world.owner.socket = listener->accept(world.owner);
  REQUIRE(::send(second.get(), "lost", 4, 0) == 4);
  REQUIRE(world.await());
  REQUIRE(world.door.knocked.size() == 2);
  CHECK(world.door.knocked[0].port != world.door.knocked[1].port);
  listener->refuse();
  REQUIRE(::send(second.get(), "two", 3, 0) == 3);
  REQUIRE(world.await());
  REQUIRE(world.door.knocked.size() == 3);
  Owner other;
  other.then = [&] { world.loop.stop(); };
  other.socket = listener->accept(other);
  // Both live on without the listener, and nobody else gets in.
  listener.reset();
  world.owner.socket->wantReadable(true);
  REQUIRE(world.await());
  other.socket->wantReadable(true);
  REQUIRE(world.await());
  CHECK(world.owner.log == "one ");
  CHECK(other.log == "two ");
  world.owner.socket->send(bytesOf("1"));
  other.socket->send(bytesOf("2"));
  CHECK(RealWorld::heard(first) == "1");
  CHECK(RealWorld::heard(second) == "2");
  // A listener that comes back finds the port, though sockets of it live.
  listener = world.network.listen(Protocol::Udp, kPort, world.door);
  CHECK(listener != nullptr);
}

TEST_CASE("no more than sixteen far ends and thirty-two datagrams of each wait at a UDP port", "[listener]") {
  RealWorld world;
  auto listener = world.network.listen(Protocol::Udp, kPort, world.door);
  const Fd first = RealWorld::comes(SOCK_DGRAM);
  for (int i = 0; i < 40; ++i) REQUIRE(::send(first.get(), "x", 1, 0) == 1);
  REQUIRE(world.await());
  CHECK(world.quiet());
  world.owner.socket = listener->accept(world.owner);
  std::array<Byte, 10> buffer{};
  int kept = 0;
  while (world.owner.socket->receive(buffer).what == Take::Data) ++kept;
  CHECK(kept == 32);

  std::vector<Fd> others;
  std::vector<std::unique_ptr<Owner>> owners;
  for (int i = 0; i < 20; ++i) {
    others.push_back(RealWorld::comes(SOCK_DGRAM));
    REQUIRE(::send(others.back().get(), "y", 1, 0) == 1);
    if (world.quiet()) break;
    owners.push_back(std::make_unique<Owner>());
    owners.back()->socket = listener->accept(*owners.back());
  }
  CHECK(owners.size() == 15);
}

TEST_CASE("without --inbound a listener waits in vain", "[listener]") {
  async::UvLoop loop;
  SocketNetwork network(loop, {});
  Door door;
  CHECK(network.listen(Protocol::Tcp, kPort, door) != nullptr);

  std::string heard;
  std::string transcript;
  Module::Host host;
  host.write = [&](ByteView bytes) {
    heard += textOf(bytes);
    if (heard.find("SERVER OK") != std::string::npos) loop.stop();
  };
  Module module(loop, Options{}, network, std::move(host),
                [&](std::string_view line) { transcript += std::string(line) + "\n"; });
  module.fromHost(bytesOf("AT+QISERVER\r"));
  async::Timer limit(loop);
  limit.start(10s, [&loop] { loop.stop(); });
  loop.run();
  CHECK(transcript.find("-- nobody can get in: no --inbound\n") != std::string::npos);
}
