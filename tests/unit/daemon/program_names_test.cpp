#include "qimux/daemon/program_names.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kHere = 0x7f000001;

sockaddr_in nameOf(std::uint32_t address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address);
  name.sin_port = htons(port);
  return name;
}

std::uint16_t portOf(int fd) {
  sockaddr_in name{};
  socklen_t length = sizeof name;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length);
  return ntohs(name.sin_port);
}

// A datagram of 28 bytes, header and all; checksums are nobody's business here.
Bytes datagram(const net::FlowKey& flow) {
  Bytes bytes(28);
  bytes[0] = 0x45;
  bytes[3] = 28;
  bytes[8] = 64;
  bytes[9] = 17;
  const std::uint32_t source = htonl(flow.source.address);
  const std::uint32_t destination = htonl(flow.destination.address);
  std::memcpy(&bytes[12], &source, 4);
  std::memcpy(&bytes[16], &destination, 4);
  const std::uint16_t ports[2] = {htons(flow.source.port), htons(flow.destination.port)};
  std::memcpy(&bytes[20], ports, 4);
  bytes[25] = 8;
  return bytes;
}

std::string ownName() {
  char name[16] = {};
  const Fd comm(::open("/proc/self/comm", O_RDONLY));
  const ssize_t length = ::read(comm.get(), name, sizeof name);
  return {name, static_cast<std::size_t>(length - 1)};
}

}  // namespace

TEST_CASE("a program is known by its socket, and stays so when it is gone") {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in here = nameOf(kHere, 0);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
  const net::FlowKey flow{{kHere, portOf(fd.get())}, {kHere, 9}};
  ProgramNames names;
  CHECK(names.of(flow) == "unknown");
  Bytes packet = datagram(flow);
  names.sawPacket(packet, async::TimePoint());
  const std::string found = names.of(flow);
  // A kernel without udp_diag does not tell.
  if (found == "unknown") return;
  CHECK(found == ownName());
  fd.reset();
  names.sawPacket(packet, async::TimePoint(2min));
  names.sawPacket(packet, async::TimePoint(4min));
  CHECK(names.of(flow) == found);
  // Nothing for so long: whoever uses these addresses now is another.
  names.sawPacket(packet, async::TimePoint(8min));
  CHECK(names.of(flow) == "unknown");
}

TEST_CASE("where processes cannot be seen it is the user") {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in here = nameOf(kHere, 0);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
  const net::FlowKey flow{{kHere, portOf(fd.get())}, {kHere, 9}};
  ProgramNames names("/nonexistent");
  Bytes packet = datagram(flow);
  names.sawPacket(packet, async::TimePoint());
  const std::string found = names.of(flow);
  if (found != "unknown") CHECK(found == fmt::format("user {}", ::getuid()));
}

TEST_CASE("of another machine it is the address") {
  const net::FlowKey flow{{0xc0000207, 1024}, {0xc6336401, 80}};
  ProgramNames names;
  Bytes packet = datagram(flow);
  names.sawPacket(packet, async::TimePoint());
  CHECK(names.of(flow) == "192.0.2.7");
  CHECK(isLocalAddress(kHere));
  CHECK_FALSE(isLocalAddress(0xc0000207));
}

TEST_CASE("the table of flows is bounded, and what is no packet is nothing") {
  ProgramNames names("/nonexistent");
  for (std::uint16_t port = 1; port <= ProgramNames::kFlows + 1; ++port) {
    Bytes packet = datagram({{0xc0000207, port}, {0xc6336401, 80}});
    names.sawPacket(packet, async::TimePoint());
  }
  CHECK(names.of({{0xc0000207, 1}, {0xc6336401, 80}}) == "unknown");
  CHECK(names.of({{0xc0000207, 2}, {0xc6336401, 80}}) == "192.0.2.7");
  Bytes garbage(20, 0xff);
  names.sawPacket(garbage, async::TimePoint());
  names.sawPacket({}, async::TimePoint());
}
