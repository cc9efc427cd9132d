#include "qimux/net/ack_gate.hpp"

#include "qimux/net/build.hpp"

#include <algorithm>
#include <limits>

namespace qimux::net {
namespace {

constexpr std::uint8_t kScaleMax = 14;  // RFC 7323 2.3
// Far beyond any stream, and far below where sums of two offsets could overflow.
constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max() / 4;

// a - b on the circle of sequence numbers.
std::int32_t distance(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}

}  // namespace

std::int64_t AckGate::offsetOf(std::uint32_t seq) const {
  return newest_.ack + distance(seq, seqOf(newest_.ack));
}

std::int64_t AckGate::limit() const {
  if (fin_ && acknowledged_ >= *fin_) return std::max(acknowledged_, *fin_ + 1);
  return acknowledged_;
}

std::uint16_t AckGate::windowField(std::int64_t from, std::int64_t edge) const {
  const int scale = app_scales_ ? inner_scale_.value_or(0) : 0;
  const std::int64_t field = std::max<std::int64_t>(edge - from, 0) >> scale;
  return static_cast<std::uint16_t>(std::min<std::int64_t>(field, 0xffff));
}

void AckGate::observeSyn(const TcpView& segment) {
  if (heard_) return;  // the connection stands: a SYN now is somebody else's, and the inner kernel refuses it
  has_origin_ = true;
  origin_ = segment.seq() + 1;
  app_scales_ = segment.options().window_scale.has_value();
}

void AckGate::observe(const Packet& segment) {
  const auto view = segment.tcp();
  if (!view || view->has(tcp::kRst)) return;
  if (view->has(tcp::kSyn)) return observeSyn(*view);
  const std::int64_t begin = offsetOf(view->seq());
  const std::int64_t end = begin + view->length();
  if (view->has(tcp::kFin) && !fin_) fin_ = end - 1;
  const bool asks = begin < app_next_ || end > newest_.edge;
  if (heard_ && asks) credit_ = std::min(credit_ + 1, kCreditMax);
  app_next_ = std::max(app_next_, end);
}

bool AckGate::isKeepalive(const Packet& segment) const {
  const auto view = segment.tcp();
  if (!view || !heard_ || over_ || view->has(tcp::kSyn | tcp::kFin | tcp::kRst)) return false;
  const bool asks = view->payloadLength() <= 1 && offsetOf(view->seq()) == app_next_ - 1;
  return asks && shown_.ack >= app_next_ && shown_.edge > app_next_;
}

void AckGate::filterSyn(const TcpView& segment) {
  const auto scale = segment.options().window_scale;
  inner_scale_ = scale ? std::optional(std::min(*scale, kScaleMax)) : std::nullopt;
  if (!segment.has(tcp::kAck) || heard_) return;
  heard_ = true;
  newest_ = {0, segment.window()};  // the window of a SYN is never scaled
  shown_ = newest_;
}

void AckGate::remember(const Packet& segment, const TcpView& view, const Claim& claim) {
  const std::uint32_t next = view.seq() + view.length();
  if (from_ == Endpoint{} || distance(next, inner_next_) > 0) inner_next_ = next;
  from_ = segment.source();
  to_ = segment.destination();
  timestamps_ = view.options().timestamps;
  if (claim.ack < newest_.ack) return;
  newest_ = claim;
}

bool AckGate::isNews(const TcpView& view, const Claim& claim, std::int64_t shown) const {
  const bool speaks = view.payloadLength() > 0 || (view.flags() & ~(tcp::kAck | tcp::kPsh)) != 0;
  return speaks || shown > shown_.ack || claim.edge != shown_.edge || credit_ > 0;
}

AckGate::Verdict AckGate::filter(Packet& segment) {
  const auto view = segment.tcp();
  if (!view || !has_origin_) {
    if (view && view->has(tcp::kSyn)) filterSyn(*view);
    return Verdict::Pass;
  }
  if (view->has(tcp::kRst)) over_ = true;
  if (view->has(tcp::kSyn)) filterSyn(*view);
  if (view->has(tcp::kSyn | tcp::kRst) || !view->has(tcp::kAck)) return Verdict::Pass;
  heard_ = true;
  const int scale = app_scales_ ? inner_scale_.value_or(0) : 0;
  const std::int64_t ack = offsetOf(view->ack());
  const Claim claim{ack, ack + (std::int64_t{view->window()} << scale)};
  remember(segment, *view, claim);

  const std::int64_t shown = released_ ? claim.ack : std::min(claim.ack, limit());
  const bool clamped = shown < claim.ack;
  if (clamped && !isNews(*view, claim, shown)) return Verdict::Swallow;
  if (credit_ > 0) --credit_;
  shown_ = {std::max(shown_.ack, shown), newest_.edge};
  if (clamped) {
    segment.setAck(seqOf(shown));
    segment.setWindow(windowField(shown, claim.edge));
    segment.blankSack();
  }
  return Verdict::Pass;
}

Bytes AckGate::freshAck(std::int64_t ack) {
  TcpAck fields;
  fields.from = from_;
  fields.to = to_;
  fields.seq = inner_next_;
  fields.ack = seqOf(ack);
  fields.window = windowField(ack, newest_.edge);
  fields.timestamps = timestamps_;
  shown_ = {ack, newest_.edge};
  if (credit_ > 0) --credit_;
  return tcpAck(fields);
}

std::optional<Bytes> AckGate::advance(std::uint64_t acknowledged) {
  acknowledged_ = std::max(acknowledged_, static_cast<std::int64_t>(std::min(acknowledged, kOffsetMax)));
  const std::int64_t target = std::min(newest_.ack, limit());
  if (released_ || over_ || target <= shown_.ack) return std::nullopt;
  return freshAck(target);
}

std::optional<Bytes> AckGate::release() {
  released_ = true;
  if (over_ || newest_.ack <= shown_.ack) return std::nullopt;
  return freshAck(newest_.ack);
}

std::uint64_t AckGate::taken() const {
  const std::int64_t bytes = fin_ ? std::min(newest_.ack, *fin_) : newest_.ack;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
}

std::uint64_t AckGate::unconfirmed() const {
  const auto acknowledged = static_cast<std::uint64_t>(acknowledged_);
  return taken() > acknowledged ? taken() - acknowledged : 0;
}

}  // namespace qimux::net
