#include "qimux/daemon/program_names.hpp"

#include "qimux/base/bytes.hpp"
#include "qimux/base/file.hpp"
#include "qimux/net/packet.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

namespace qimux::daemon {
namespace {

namespace fs = std::filesystem;

bool holds(const fs::path& process, const std::string& socket) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::array<char, 64> target{};
    const ssize_t length = ::readlink(entry->path().c_str(), target.data(), target.size());
    if (length > 0 && std::string_view(target.data(), static_cast<std::size_t>(length)) == socket)
      return true;
  }
  return false;
}

}  // namespace

// Binding to a port of the kernel's choice succeeds for the machine's own addresses alone.
bool isLocalAddress(std::uint32_t address) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address);
  return fd.valid() && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

void ProgramNames::sawPacket(ByteSpan bytes, async::TimePoint now) {
  const auto packet = net::Packet::parse(bytes);
  if (!packet || packet->isFragment()) return;
  const auto tcp = packet->tcp();
  const bool syn = tcp && tcp->has(net::tcp::kSyn);
  if (!syn && !packet->udp()) return;
  const net::FlowKey flow = packet->flow();
  const auto known = known_.find(flow);
  if (known != known_.end() && now - std::exchange(known->second.seen, now) < kFresh) return;
  if (known == known_.end()) order_.push_back(flow);
  known_[flow] = Known{lookUp(flow, packet->protocol()), now};
  if (order_.size() <= kFlows) return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::string ProgramNames::of(const net::FlowKey& flow) const {
  const auto known = known_.find(flow);
  return known != known_.end() ? known->second.name : "unknown";
}

std::string ProgramNames::lookUp(const net::FlowKey& flow, std::uint8_t protocol) {
  if (!diag_) {
    if (auto opened = net::SockDiag::open()) diag_ = std::move(*opened);
  }
  const auto owner = diag_ ? diag_->owner(flow, protocol) : std::nullopt;
  if (owner) return holderOf(owner->inode).value_or(fmt::format("user {}", owner->user));
  return isLocalAddress(flow.source.address) ? "unknown" : net::text(flow.source.address);
}

std::optional<std::string> ProgramNames::holderOf(std::uint32_t inode) const {
  const std::string socket = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (fs::directory_iterator entry(proc_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string pid = entry->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || !holds(entry->path(), socket)) continue;
    constexpr std::size_t kMost = 64;
    auto name = readFile(entry->path() / "comm", kMost);
    if (!name) return std::nullopt;
    name->erase(name->find_last_not_of('\n') + 1);
    return printable(*name);
  }
  return std::nullopt;
}

}  // namespace qimux::daemon
