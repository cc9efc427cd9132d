#include "qimux/capture/channel.hpp"

#include "qimux/capture/notation.hpp"
#include "qimux/capture/tap.hpp"
#include "qimux/net/packet.hpp"
#include "qimux/net/wire.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::capture {
namespace {

std::string asText(ByteView bytes) {
  std::string out;
  encodeText(out, bytes);
  return out;
}

std::string asPacket(ByteView bytes) {
  std::string out;
  encodeHex(out, bytes);
  return out + "  # " + describePacket(bytes);
}

std::string asEvent(const Record& record) {
  const std::string line = print(record);
  return line.substr(line.find(' ') + 1);
}

bool isPacket(Kind kind) {
  return kind == Kind::OuterOut || kind == Kind::InnerOut;
}
bool hasBytes(Kind kind) {
  return kind == Kind::PortOut || kind == Kind::StreamOut;
}

void blankChecksum(ByteSpan segment, std::uint8_t protocol) {
  const std::size_t at = protocol == net::kTcp ? 16 : protocol == net::kUdp ? 6 : 2;
  const bool has = protocol == net::kTcp || protocol == net::kUdp || protocol == net::kIcmp;
  if (has && segment.size() >= at + 2) net::store16(segment, at, 0);
}

void blankHeader(ByteSpan header) {
  constexpr std::size_t kIdentification = 4;
  constexpr std::size_t kChecksum = 10;
  net::store16(header, kIdentification, 0);
  net::store16(header, kChecksum, 0);
}

}  // namespace

// With two bytes in front that say whether its checksums were right.
Bytes comparable(ByteView bytes) {
  Bytes made(bytes.begin(), bytes.end());
  const auto packet = net::Packet::parse(made);
  if (!packet) return made;
  const Byte right[] = {packet->headerChecksumValid(), packet->transportChecksumValid()};
  const ByteSpan all = packet->bytes();
  const ByteSpan inner = all.subspan(packet->headerLength());
  if (packet->icmp() && packet->icmp()->original()) {
    const ByteSpan quoted = inner.subspan(8);
    const std::size_t header = std::size_t{quoted[0] & 0xfU} * 4;
    blankChecksum(quoted.subspan(header), quoted[9]);
    blankHeader(quoted);
  }
  blankChecksum(inner, packet->isFragment() ? 0 : packet->protocol());
  blankHeader(all);
  made.insert(made.begin(), std::begin(right), std::end(right));
  return made;
}

std::string Channel::frontText() const {
  if (expected_.empty()) return {};
  const Item& item = expected_.front();
  if (isPacket(item.record->kind)) return asPacket(item.record->data);
  if (hasBytes(item.record->kind)) return asText(ByteView(item.record->data).subspan(item.done));
  return asEvent(*item.record);
}

Divergence Channel::differs(async::Duration now, std::string got) const {
  return Divergence{expected_.empty() ? 0 : expected_.front().record->line, now, name_, frontText(),
                    std::move(got)};
}

std::optional<Divergence> Channel::early(async::Duration now) const {
  const auto at = expected_.front().record->at;
  if (at <= now + slack_) return std::nullopt;
  return differs(now, fmt::format("the same, {:.6f} s before its time",
                                  std::chrono::duration<double>(at - now).count()));
}

const Record* Channel::pop() {
  const Record* refused = expected_.front().refused;
  expected_.pop_front();
  ++matched_;
  return refused;
}

Channel::Outcome Channel::bytes(async::Duration now, ByteView got) {
  const ByteView whole = got;
  const Record* refused = nullptr;
  while (!got.empty()) {
    if (expected_.empty() || !hasBytes(expected_.front().record->kind))
      return {differs(now, asText(whole)), nullptr};
    if (auto divergence = early(now)) return {std::move(divergence), nullptr};
    Item& item = expected_.front();
    const ByteView want = ByteView(item.record->data).subspan(item.done);
    const std::size_t size = std::min(want.size(), got.size());
    if (!std::ranges::equal(want.first(size), got.first(size))) return {differs(now, asText(whole)), nullptr};
    bytes_matched_ += size;
    item.done += size;
    got = got.subspan(size);
    if (item.done == item.record->data.size()) refused = pop();
  }
  return {std::nullopt, refused};
}

Channel::Outcome Channel::packet(async::Duration now, ByteView got) {
  if (expected_.empty()) return {differs(now, asPacket(got)), nullptr};
  if (auto divergence = early(now)) return {std::move(divergence), nullptr};
  if (comparable(expected_.front().record->data) != comparable(got))
    return {differs(now, asPacket(got)), nullptr};
  bytes_matched_ += got.size();
  return {std::nullopt, pop()};
}

Channel::Outcome Channel::event(async::Duration now, const Record& got) {
  if (expected_.empty()) return {differs(now, asEvent(got)), nullptr};
  const Record& want = *expected_.front().record;
  if (want.kind != got.kind || want.number != got.number || want.text != got.text) {
    return {differs(now, asEvent(got)), nullptr};
  }
  if (auto divergence = early(now)) return {std::move(divergence), nullptr};
  return {std::nullopt, pop()};
}

Channel::Outcome Channel::write(async::Duration now, ByteView got, std::size_t& taken) {
  taken = got.size();
  if (expected_.empty() || expected_.front().record->kind != Kind::StreamOut) {
    return {differs(now, asText(got)), nullptr};
  }
  Item& item = expected_.front();
  const std::size_t left = item.record->data.size() - item.done;
  if (left == 0) {  // there was no room at all
    taken = 0;
    return {std::nullopt, pop()};
  }
  taken = std::min(taken, left);
  return bytes(now, got.first(taken));
}

std::optional<Divergence> Channel::missingBefore(unsigned line) const {
  if (expected_.empty() || expected_.front().record->line >= line) return std::nullopt;
  return differs(expected_.front().record->at, {});
}

std::optional<Divergence> Channel::overdue(async::Duration now) const {
  if (expected_.empty() || expected_.front().record->at + slack_ >= now) return std::nullopt;
  return differs(now, {});
}

}  // namespace qimux::capture
