#include "qimux/capture/tap.hpp"

#include "qimux/net/packet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::capture {
namespace {

Record ofKind(Kind kind, std::uint64_t number = 0) {
  Record record;
  record.kind = kind;
  record.number = number;
  return record;
}

Record ofError(Kind kind, const Error& error) {
  Record record = ofKind(kind, static_cast<std::uint64_t>(error.kind));
  record.text = error.what;
  const auto reply = bytesOf(error.reply);
  record.data.assign(reply.begin(), reply.end());
  return record;
}

Bytes copyOf(ByteView bytes) {
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace

class Tap::TapPort final : public serial::Port {
 public:
  TapPort(Tap& tap, std::unique_ptr<serial::Port> port) : tap_(tap), port_(std::move(port)) {
    port_->onData([this](ByteView bytes) { arrive(bytes); });
    port_->onLost([this](Error error) {
      tap_.begin(ofError(Kind::PortLost, error));
      reportLost(std::move(error));
    });
  }
  TapPort(const TapPort&) = delete;
  TapPort& operator=(const TapPort&) = delete;
  ~TapPort() override { tap_.write(ofKind(Kind::PortClosed)); }

  Result<void> write(ByteView bytes) override {
    Record record = ofKind(Kind::PortOut);
    record.data = tap_.mask_.toModule(bytes, delivering_);
    tap_.write(std::move(record));
    return answer(port_->write(bytes));
  }
  Result<void> setLine(serial::ModemLine line, bool asserted) override {
    const bool rts = line == serial::ModemLine::Rts;
    tap_.write(ofKind(Kind::PortLine, (rts ? 2U : 0U) + (asserted ? 1U : 0U)));
    return answer(port_->setLine(line, asserted));
  }
  Result<void> setRate(int baud) override {
    tap_.write(ofKind(Kind::PortRate, static_cast<std::uint64_t>(baud)));
    return answer(port_->setRate(baud));
  }
  void announce(std::size_t bytes) override { port_->announce(bytes); }

 private:
  void arrive(ByteView bytes) {
    Record record = ofKind(Kind::PortIn, bytes.size());
    record.data = tap_.mask_.fromModule(bytes);
    tap_.begin(std::move(record));
    delivering_ = true;
    deliver(bytes);
    delivering_ = false;
  }
  Result<void> answer(Result<void> result) {
    if (!result) tap_.write(ofError(Kind::PortRefused, result.error()));
    return result;
  }

  Tap& tap_;
  std::unique_ptr<serial::Port> port_;
  bool delivering_ = false;
};

// What the replay's stream believes of itself is what this one believes: a record is written where the kernel
// says something else.
class Tap::TapStream final : public bridge::AppStream {
 public:
  TapStream(Tap& tap, std::uint64_t id, bool names, std::unique_ptr<bridge::AppStream> stream)
      : tap_(tap), id_(id), names_(names), stream_(std::move(stream)) {
    stream_->onChange([this] {
      tap_.begin(about(Kind::StreamChanged));
      changed();
    });
  }
  TapStream(const TapStream&) = delete;
  TapStream& operator=(const TapStream&) = delete;
  ~TapStream() override {
    stream_.reset();
    tap_.write(about(Kind::StreamClosed));
  }

  std::size_t readable() override {
    look();
    return readable_;
  }
  std::size_t read(ByteSpan out) override {
    look();
    if (readable_ == 0) return 0;
    const std::size_t count = stream_->read(out.first(std::min(out.size(), readable_)));
    readable_ -= count;
    Record record = about(Kind::StreamIn);
    record.data = tap_.mask_.stream(out.first(count), names_);
    tap_.write(std::move(record));
    return count;
  }
  Input input() override {
    look();
    return input_;
  }
  std::size_t write(ByteView bytes) override {
    look();
    const std::size_t taken = stream_->write(bytes);
    Record record = about(Kind::StreamOut, bytes.size());
    record.data = tap_.mask_.stream(bytes.first(taken), names_);
    tap_.write(std::move(record));
    writable_ = taken == bytes.size();
    drained_ = drained_ && taken == 0;
    return taken;
  }
  bool writable() override {
    look();
    return writable_;
  }
  bool drained() override {
    if (drained_at_ != tap_.moment_ && !drained_) tell(Kind::StreamDrained, drained_, stream_->drained());
    drained_at_ = tap_.moment_;
    return drained_;
  }
  void endOutput() override {
    tap_.write(about(Kind::StreamEnd));
    stream_->endOutput();
    drained_ = false;  // the end itself has to arrive
  }
  void reset() override {
    tap_.write(about(Kind::StreamReset));
    stream_->reset();
  }

 private:
  Record about(Kind kind, std::uint64_t number = 0) const {
    Record record = ofKind(kind, number);
    record.stream = id_;
    return record;
  }
  template <typename T>
  void tell(Kind kind, T& known, T now) {
    if (known == now) return;
    known = now;
    tap_.write(about(kind, static_cast<std::uint64_t>(now)));
  }
  // Once a moment. Its input after its bytes: only asking for them finds an end.
  void look() {
    if (looked_at_ == tap_.moment_) return;
    looked_at_ = tap_.moment_;
    tell(Kind::StreamReadable, readable_, stream_->readable());
    tell(Kind::StreamInput, input_, stream_->input());
    tell(Kind::StreamWritable, writable_, stream_->writable());
  }

  Tap& tap_;
  const std::uint64_t id_;
  const bool names_;  // it carries questions to the gateway's own name server
  std::unique_ptr<bridge::AppStream> stream_;
  std::uint64_t looked_at_ = 0;
  std::uint64_t drained_at_ = 0;
  std::size_t readable_ = 0;
  Input input_ = Input::Open;
  bool writable_ = true;
  bool drained_ = true;
};

Tap::Tap(async::Loop& loop, Writer writer, Mask mask)
    : loop_(loop), began_(loop.now()), writer_(std::move(writer)), mask_(std::move(mask)) {
  loop_.observe(this);
}

Tap::~Tap() {
  loop_.observe(nullptr);
}

void Tap::wire(bridge::LinkOptions& options) {
  write(ofKind(Kind::Seed, options.seed));
  if (options.module.pin_memory->refused) write(ofKind(Kind::PinRefused));
  if (!options.reset_line) return;
  reset_line_ = std::exchange(options.reset_line, [this](serial::Port& port) { return pulse(port); });
}

async::Task<Result<void>> Tap::pulse(serial::Port& port) {
  write(ofKind(Kind::Reset));
  auto done = co_await reset_line_(port);
  Record record = done ? ofKind(Kind::ResetDone) : ofError(Kind::ResetDone, done.error());
  if (!done) ++record.number;
  write(std::move(record));
  co_return done;
}

void Tap::moment(Kind kind, std::uint64_t number) {
  begin(ofKind(kind, number));
}

void Tap::begin(Record record, std::string_view comment) {
  ++moment_;
  local_syn_ = false;
  write(std::move(record), comment);
}

void Tap::write(Record record, std::string_view comment) {
  if (!writer_.open()) return;
  record.at = now();
  for (auto& rule : mask_.takeRules()) {
    rule.at = record.at;
    writer_.write(rule);
  }
  writer_.write(record, comment);
}

void Tap::packet(Kind kind, ByteView packet, bool is_moment) {
  if (!writer_.open()) {
    moment_ += is_moment ? 1 : 0;
    return;
  }
  Record record = ofKind(kind);
  record.data = mask_.packet(packet);
  const auto words = describePacket(record.data);
  if (is_moment) {
    begin(std::move(record), words);
  } else {
    write(std::move(record), words);
  }
  noteLocal(packet, kind);
}

// A connection to the gateway's name server is served here: its stream's bytes are questions, which the cores
// read. The SYN is passed on to the private namespace in the moment in which it came, and names the port
// there.
void Tap::noteLocal(ByteView bytes, Kind kind) {
  Bytes copy = copyOf(bytes);
  const auto packet = net::Packet::parse(copy);
  if (!packet || !packet->tcp() || !packet->tcp()->has(net::tcp::kSyn)) return;
  if (kind == Kind::OuterIn) local_syn_ = mask_.isNameServer(packet->destination());
  if (kind != Kind::InnerOut) return;
  if (local_syn_) {
    local_ports_.insert(packet->source().port);
  } else {
    local_ports_.erase(packet->source().port);
  }
}

void Tap::fromProgram(ByteView bytes) {
  packet(Kind::OuterIn, bytes, true);
}

void Tap::fromInner(ByteView bytes) {
  packet(Kind::InnerIn, bytes, true);
}

void Tap::toProgram(ByteView bytes) {
  packet(Kind::OuterOut, bytes, false);
}

void Tap::toInner(ByteView bytes) {
  packet(Kind::InnerOut, bytes, false);
}

std::unique_ptr<bridge::AppStream> Tap::accepted(std::uint16_t port,
                                                 std::unique_ptr<bridge::AppStream> stream) {
  Record record = ofKind(Kind::Accept, port);
  record.stream = ++streams_;
  begin(std::move(record));
  return std::make_unique<TapStream>(*this, streams_, local_ports_.contains(port), std::move(stream));
}

void Tap::askAt(std::string_view command) {
  Record record = ofKind(Kind::AskAt);
  record.text = mask_.command(command);
  begin(std::move(record));
}

void Tap::askName(std::string_view name) {
  Record record = ofKind(Kind::AskName);
  record.text = mask_.name(name);
  begin(std::move(record));
}

void Tap::askPing(std::uint32_t address) {
  moment(Kind::AskPing, mask_.address(address));
}

Result<std::unique_ptr<serial::Port>> Tap::opened(Result<std::unique_ptr<serial::Port>> port) {
  if (!port) {
    write(ofError(Kind::PortMissing, port.error()));
    return port;
  }
  mask_.portOpened();
  write(ofKind(Kind::PortOpened));
  return std::make_unique<TapPort>(*this, std::move(*port));
}

bool Tap::programGone(bool gone) {
  write(ofKind(Kind::Gone, gone ? 1 : 0));
  return gone;
}

void Tap::link(std::string_view state) {
  Record record = ofKind(Kind::Link);
  record.text = state;
  write(std::move(record));
}

void Tap::stopped() {
  writer_.end(now(), kStopped);
}

std::string describePacket(ByteView bytes) {
  Bytes copy = copyOf(bytes);
  const auto packet = net::Packet::parse(copy);
  if (!packet) return fmt::format("no IPv4, {} bytes", bytes.size());
  if (const auto tcp = packet->tcp()) {
    std::string flags;
    constexpr std::string_view kLetters = "FSRPAUEC";
    for (std::size_t bit = 0; bit < kLetters.size(); ++bit) {
      if ((tcp->flags() & (1U << bit)) != 0) flags += kLetters[bit];
    }
    return fmt::format("tcp {} > {} {} seq {} ack {} win {} len {}", net::text(packet->source()),
                       net::text(packet->destination()), flags, tcp->seq(), tcp->ack(), tcp->window(),
                       tcp->payloadLength());
  }
  const auto where = fmt::format("{} > {}", net::text(packet->source()), net::text(packet->destination()));
  if (const auto udp = packet->udp()) return fmt::format("udp {} len {}", where, udp->payload().size());
  if (const auto icmp = packet->icmp())
    return fmt::format("icmp {} type {} code {}", where, icmp->type(), icmp->code());
  return fmt::format("protocol {} {}", packet->protocol(), where);
}

}  // namespace qimux::capture
