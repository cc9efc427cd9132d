#include "qimux/bridge/dns_stream.hpp"

#include "qimux/bridge/dns_message.hpp"

#include <algorithm>
#include <cassert>

namespace qimux::bridge {

namespace {
constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kMaxMessage = 0xffff;
}  // namespace

std::vector<Bytes> DnsStream::feed(ByteView bytes) {
  std::vector<Bytes> messages;
  while (!bytes.empty() && !failed_) {
    std::size_t wanted = kLengthBytes;
    if (pending_.size() >= kLengthBytes) wanted += static_cast<std::size_t>(pending_[0] << 8 | pending_[1]);
    const std::size_t taken = std::min(wanted - pending_.size(), bytes.size());
    pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (pending_.size() < wanted) break;
    if (wanted == kLengthBytes) {
      const auto length = static_cast<std::size_t>(pending_[0] << 8 | pending_[1]);
      failed_ = length == 0 || length > kMaxDnsQuery;
    } else {
      messages.emplace_back(pending_.begin() + kLengthBytes, pending_.end());
      pending_.clear();
    }
  }
  return messages;
}

Bytes DnsStream::frame(ByteView message) {
  assert(message.size() <= kMaxMessage);
  Bytes out;
  out.reserve(kLengthBytes + message.size());
  out.push_back(static_cast<Byte>(message.size() >> 8));
  out.push_back(static_cast<Byte>(message.size() & 0xff));
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

}  // namespace qimux::bridge
