// Writes packets into an interface as fast as it is told, and says how fast that was.
//
//   flood KIND INTERFACE RATE SECONDS [INSIDE]
//
// KIND: syn        SYNs from the host to very many addresses and ports
//       syn-names  SYNs to the name server, from the host and from addresses of nobody
//       spray      datagrams to 60,000 ports of one address
//       names      questions for ever different names
//       name       questions for one name
//       garbage    what no kernel sends: random bytes, cut headers, fragments, wrong checksums, martians
//
// INSIDE is a process that holds a listening socket of another network namespace: the packets go into the TUN
// there, from its kernel's side. Packets that the interface's queue has no room for are counted as sent: that
// is the kernel's business, and part of the flood.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Packet = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kHost = 0x0a404001;    // 10.64.64.1
constexpr std::uint32_t kNames = 0x0a404002;   // 10.64.64.2
constexpr std::uint32_t kServer = 0xc6336401;  // 198.51.100.1
constexpr std::uint32_t kNobody = 0xac140000;  // 172.20.0.0/16
constexpr std::size_t kBatch = 50;
constexpr std::uint8_t kTcp = 6, kUdp = 17;

std::mt19937_64 dice(1);

std::uint32_t any(std::uint32_t most) {
  return static_cast<std::uint32_t>(dice() % (std::uint64_t{most} + 1));
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void put16(Packet& out, std::size_t at, std::uint32_t value) {
  out.at(at) = static_cast<std::uint8_t>(value >> 8);
  out.at(at + 1) = static_cast<std::uint8_t>(value);
}
void put32(Packet& out, std::size_t at, std::uint32_t value) {
  put16(out, at, value >> 16);
  put16(out, at + 2, value & 0xffff);
}

std::uint32_t sum(const Packet& packet, std::size_t from, std::size_t to) {
  std::uint32_t total = 0;
  for (std::size_t i = from; i < to; ++i)
    total += std::uint32_t{packet[i]} << (((i - from) & 1) != 0 ? 0 : 8);
  return total;
}
std::uint16_t folded(std::uint32_t total) {
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(~total);
}

struct Ends {
  std::uint32_t from, to;
  std::uint32_t from_port, to_port;
};

// A whole and right packet; `header` bytes of transport are to be filled by the caller, then seal().
Packet packetOf(std::uint8_t protocol, const Ends& ends, std::size_t size) {
  Packet packet(20 + size);
  packet[0] = 0x45;
  put16(packet, 2, static_cast<std::uint32_t>(packet.size()));
  put16(packet, 4, any(0xffff));
  packet[8] = 64;
  packet[9] = protocol;
  put32(packet, 12, ends.from);
  put32(packet, 16, ends.to);
  put16(packet, 20, ends.from_port);
  put16(packet, 22, ends.to_port);
  return packet;
}

void seal(Packet& packet) {
  put16(packet, 10, 0);
  put16(packet, 10, folded(sum(packet, 0, 20)));
  const std::uint8_t protocol = packet[9];
  const std::size_t at = protocol == kTcp ? 36 : protocol == kUdp ? 26 : 22;
  if (packet.size() < at + 2) return;
  put16(packet, at, 0);
  std::uint32_t total = sum(packet, 20, packet.size());
  if (protocol == kTcp || protocol == kUdp) {
    total += sum(packet, 12, 20) + protocol + static_cast<std::uint32_t>(packet.size() - 20);
  }
  put16(packet, at, folded(total));
}

Packet tcp(const Ends& ends, std::uint8_t flags, std::size_t payload = 0) {
  Packet packet = packetOf(kTcp, ends, 20 + payload);
  put32(packet, 24, any(0xffffffff));
  if ((flags & 0x10) != 0) put32(packet, 28, any(0xffffffff));
  packet[32] = 5 << 4;
  packet[33] = flags;
  put16(packet, 34, 64240);
  seal(packet);
  return packet;
}

Packet udp(const Ends& ends, const std::string& payload) {
  Packet packet = packetOf(kUdp, ends, 8 + payload.size());
  put16(packet, 24, static_cast<std::uint32_t>(8 + payload.size()));
  std::memcpy(packet.data() + 28, payload.data(), payload.size());
  seal(packet);
  return packet;
}

Packet question(std::string label) {
  std::string message("\0\1\1\0\0\1\0\0\0\0\0\0", 12);
  message[0] = static_cast<char>(any(255));
  message += static_cast<char>(label.size());
  message += label;
  message += std::string("\7example\3net\0\0\1\0\1", 17);
  return udp({kHost, kNames, 1024 + any(60'000), 53}, message);
}

Packet syn(std::uint64_t) {
  const std::uint32_t to = any(1) == 0 ? 0xcb007180 + any(126) : 0x0b000000 + any(0xffffff);
  return tcp({kHost, to, 1024 + any(60'000), 1 + any(65'000)}, 0x02);
}

Packet randomBytes() {
  Packet packet(any(200) == 0 ? 1 + any(3) : 1 + any(1487));
  for (auto& byte : packet) byte = static_cast<std::uint8_t>(dice());
  if (any(3) != 0) packet[0] = 0x45;
  return packet;
}

Packet garbage(std::uint64_t number) {
  const Ends ends{kHost, any(3) == 0 ? kNames : kServer, any(65'535), any(65'535)};
  const std::string payload(any(1400), 'x');
  switch (number % 10) {
    case 0: {  // a header cut anywhere
      Packet packet = tcp(ends, 0x02, any(100));
      packet.resize(1 + any(static_cast<std::uint32_t>(packet.size()) - 1));
      return packet;
    }
    case 1: {  // a protocol that nobody speaks
      Packet packet = packetOf(static_cast<std::uint8_t>(any(255)), ends, 8 + any(500));
      seal(packet);
      return packet;
    }
    case 2: {  // a piece of something
      Packet packet = udp(ends, payload);
      put16(packet, 6, any(1) == 0 ? 0x2000 + any(0x1fff) : any(0x1fff));
      put16(packet, 10, 0);
      put16(packet, 10, folded(sum(packet, 0, 20)));
      return packet;
    }
    case 3: {  // one byte is not what was sent
      Packet packet =
          any(1) == 0 ? tcp(ends, static_cast<std::uint8_t>(any(63)), any(500)) : udp(ends, payload);
      packet[any(static_cast<std::uint32_t>(packet.size()) - 1)] ^= static_cast<std::uint8_t>(1 + any(254));
      return packet;
    }
    case 4: {  // from nobody
      constexpr std::array<std::uint32_t, 6> kMartians{0,          0x7f000001, 0xe0000001,
                                                       0xffffffff, kNames,     0xf0000001};
      Ends martian = ends;
      martian.from = kMartians.at(number / 10 % kMartians.size());
      return number / 60 % 2 == 0 ? udp(martian, "martian") : tcp(martian, 0x02);
    }
    case 5:  // a segment of no connection, with any flags but SYN
      return tcp(ends, static_cast<std::uint8_t>(any(63) & ~2U), any(100));
    case 6: {  // ICMP of any kind
      Packet packet = packetOf(1, ends, 8 + any(100));
      put16(packet, 20, any(0xffff));
      seal(packet);
      return packet;
    }
    case 7: {  // lengths that contradict each other
      Packet packet = udp(ends, payload);
      put16(packet, any(1) == 0 ? 2 : 24, any(0xffff));
      packet[0] = static_cast<std::uint8_t>(0x40 + any(15));
      return packet;
    }
    case 8: {  // to nobody
      constexpr std::array<std::uint32_t, 5> kNowhere{0, 0x7f000001, 0xe00000fb, 0xffffffff, 0x0a404003};
      Ends lost = ends;
      lost.to = kNowhere.at(number / 10 % kNowhere.size());
      return any(1) == 0 ? udp(lost, payload) : tcp(lost, 0x02);
    }
    default:
      return randomBytes();
  }
}

Packet make(std::string_view kind, std::uint64_t number) {
  const auto n = static_cast<std::uint32_t>(number);
  if (kind == "syn") return syn(number);
  if (kind == "syn-names") {
    return tcp({n % 2 == 0 ? kHost : kNobody + any(0xffff), kNames, 1024 + any(60'000), 53}, 0x02);
  }
  if (kind == "spray") return udp({kHost, kServer, 40'000 + any(7), 1 + n % 60'000}, "spray");
  if (kind == "names") return question("n" + std::to_string(number));
  if (kind == "name") return question("one");
  if (kind == "garbage") return garbage(number);
  std::fprintf(stderr, "no such flood\n");
  std::exit(1);
}

// Goes where a listening IPv4 socket of that process lives.
void goInside(int pid) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) fail("pidfd_open");
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  DIR* all = ::opendir(path.c_str());
  if (all == nullptr) fail(path.c_str());
  while (const dirent* entry = ::readdir(all)) {
    const int taken = static_cast<int>(::syscall(SYS_pidfd_getfd, process, std::atoi(entry->d_name), 0));
    if (entry->d_name[0] == '.' || taken < 0) continue;
    int listens = 0, family = 0;
    socklen_t size = sizeof listens;
    ::getsockopt(taken, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    size = sizeof family;
    ::getsockopt(taken, SOL_SOCKET, SO_DOMAIN, &family, &size);
    if (listens == 0 || family != AF_INET) {
      ::close(taken);
      continue;
    }
    const int there = ::ioctl(taken, SIOCGSKNS);
    if (there < 0 || ::setns(there, CLONE_NEWNET) < 0) fail("the other namespace");
    return;
  }
  std::fprintf(stderr, "no listening socket\n");
  std::exit(1);
}

// "-" is the first that is not the loopback.
sockaddr_ll interfaceOf(std::string_view name) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IP);
  struct if_nameindex* const all = ::if_nameindex();
  for (auto* one = all; one != nullptr && one->if_index != 0; ++one) {
    const std::string_view found = one->if_name;
    if (found == name || (name == "-" && found != "lo"))
      address.sll_ifindex = static_cast<int>(one->if_index);
  }
  if (address.sll_ifindex == 0) fail("interface");
  return address;
}

struct Result {
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;
  double seconds = 0;
};

Result pour(int fd, std::string_view kind, double rate, double seconds) {
  Result result;
  const auto begin = Clock::now();
  for (;;) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    result.seconds = elapsed;
    if (elapsed >= seconds) return result;
    const auto due = static_cast<std::uint64_t>(elapsed * rate);
    if (result.sent + kBatch > due) {
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      continue;
    }
    std::array<Packet, kBatch> packets;
    std::array<iovec, kBatch> parts{};
    std::array<mmsghdr, kBatch> messages{};
    for (std::size_t i = 0; i < kBatch; ++i) {
      packets[i] = make(kind, result.sent + i);
      parts[i] = {packets[i].data(), packets[i].size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t i = 0; i < kBatch;) {
      const int done = ::sendmmsg(fd, &messages[i], static_cast<unsigned>(kBatch - i), 0);
      if (done > 0) {
        i += static_cast<std::size_t>(done);
        continue;
      }
      if (errno == ENETDOWN || errno == ENXIO) fail("the interface");
      ++result.refused;  // no room, or nothing that may be sent at all
      ++i;
    }
    result.sent += kBatch;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "flood KIND INTERFACE RATE SECONDS [INSIDE]\n");
    return 1;
  }
  if (count > 5) goInside(std::atoi(arguments[5]));
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("packet socket");
  const sockaddr_ll address = interfaceOf(arguments[2]);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fail("bind");
  const Result result = pour(fd, arguments[1], std::atof(arguments[3]), std::atof(arguments[4]));
  std::printf("sent=%llu refused=%llu seconds=%.2f rate=%.0f\n", static_cast<unsigned long long>(result.sent),
              static_cast<unsigned long long>(result.refused), result.seconds,
              static_cast<double>(result.sent) / result.seconds);
  return 0;
}
