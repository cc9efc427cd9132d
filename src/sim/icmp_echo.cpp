#include "icmp_echo.hpp"

#include "real_socket.hpp"

#include <netinet/ip_icmp.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace qimux::sim {
namespace {

// As in +QPING.
constexpr std::size_t kPayload = 32;
constexpr std::size_t kHeader = 8;
using Packet = std::array<Byte, kHeader + kPayload>;

std::uint16_t nextSequence() {
  static std::uint16_t sequence = 0;
  return ++sequence;
}

std::uint16_t identifier() {
  return static_cast<std::uint16_t>(::getpid());
}

void put16(Packet& packet, std::size_t at, std::uint16_t value) {
  packet[at] = static_cast<Byte>(value >> 8);
  packet[at + 1] = static_cast<Byte>(value & 0xff);
}

std::uint16_t get16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// RFC 1071, over an even number of bytes.
std::uint16_t checksum(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

IcmpEcho::IcmpEcho(async::UvLoop& loop, Ipv4 address, async::Duration limit, Network::Echoed done)
    : loop_(loop), done_(std::move(done)), sequence_(nextSequence()), begin_(loop.now()), limit_(loop) {
  if (ask(address)) {
    watch_ = loop.watch(fd_.get(), async::Interest{.readable = true}, [this](async::Interest) { look(); });
  }
  limit_.start(limit, [this] { finish(std::nullopt); });
}

bool IcmpEcho::ask(Ipv4 address) {
  constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  fd_ = Fd(::socket(AF_INET, SOCK_DGRAM | kFlags, IPPROTO_ICMP));
  if (!fd_.valid()) {
    raw_ = true;
    fd_ = Fd(::socket(AF_INET, SOCK_RAW | kFlags, IPPROTO_ICMP));
  }
  const sockaddr_in to = toSockaddr(Endpoint{address, 0});
  if (!fd_.valid() || ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
    return false;
  }
  Packet packet{};
  packet[0] = ICMP_ECHO;
  // The kernel puts its own identifier into those of a datagram socket.
  put16(packet, 4, identifier());
  put16(packet, 6, sequence_);
  put16(packet, 2, checksum(packet));
  return ::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
}

void IcmpEcho::look() {
  std::array<Byte, 2048> buffer{};
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (size <= 0) return;
  ByteView packet = ByteView(buffer).first(static_cast<std::size_t>(size));
  if (raw_) {
    // The header of IP is in front of it, and everybody's replies come here.
    const std::size_t header = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
    if (packet.size() < header + kHeader) return;
    packet = packet.subspan(header);
    if (get16(packet, 4) != identifier()) return;
  }
  if (packet.size() < kHeader || packet[0] != ICMP_ECHOREPLY || get16(packet, 6) != sequence_) return;
  finish(loop_.now() - begin_);
}

void IcmpEcho::finish(std::optional<async::Duration> time) {
  limit_.stop();
  watch_.reset();
  auto done = std::move(done_);
  done(time);
}

}  // namespace qimux::sim
