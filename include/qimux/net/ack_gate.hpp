// Acknowledgements tell the truth: one TCP flow's gate between the inner kernel and the program.
//
// The inner kernel acknowledges a program's bytes the moment it has them. The far end has them seconds later,
// or never. The gate lets the program see no acknowledgement beyond what the far end has confirmed, so its
// send queue, its SO_LINGER and a reset mean what they mean on a real path.
//
// How it works:
// - It sees every segment of the flow: those from the program by observe(), those to it by filter(), and gets
//   the far end's reports by advance(). All positions are 64-bit offsets from the first byte after the
//   program's SYN; sequence numbers are unwrapped against the inner kernel's newest acknowledgement.
// - A segment to the program whose ACK number is not beyond the report passes as it is.
// - One that is beyond is clamped: ACK number down to the report, window field up by as much, so that the
// right
//   edge of the window (ACK number + window) stays where the inner kernel put it: the program may send what
//   it could send before. The field saturates at 65535, and a scaled one rounds down, by less than one unit.
//   SACK blocks are blanked: they would tell of bytes beyond the report.
// - A clamped segment without payload and flags, which moves neither ACK number nor right edge, says nothing
//   new. It is swallowed: three such look like a loss to the program, and it would send again.
// - But whoever probes wants an answer. For each observed segment that begins before the highest sequence
// number
//   sent (a keepalive, a zero-window probe, a retransmission) or reaches beyond the window, one such
//   acknowledgement may pass, with clamped numbers. At most kCreditMax are owed.
// - When the report moves on, advance() makes the acknowledgement that was withheld: sequence number, window
//   edge and timestamps are those of the newest segment of the inner kernel. Its old echo (TSecr) makes the
//   program measure the whole way, as it should.
// - A FIN of the program takes one sequence number. It is acknowledged when everything before it is.
// - SYN, SYN-ACK and RST pass untouched.
//
// No I/O, no time. Give it packets that bear the program's addresses: a fresh acknowledgement is addressed
// like the newest segment that went through filter().
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/net/packet.hpp"

#include <cstdint>
#include <optional>

namespace qimux::net {

class AckGate {
 public:
  enum class Verdict { Pass, Swallow };

  // Until it has observed the program's SYN it lets everything pass.
  AckGate() = default;
  // As if observed: the SYN of a program that connects, or the SYN-ACK of one that is connected to.
  explicit AckGate(const Packet& app_syn) { observe(app_syn); }

  // A segment on its way from the program to the inner kernel, before it gets there.
  void observe(const Packet& segment);
  // A segment on its way from the inner kernel to the program. May rewrite it; Swallow means drop it.
  [[nodiscard]] Verdict filter(Packet& segment);

  // A segment of the program, not yet observed, that only asks whether the connection lives: nothing of it is
  // new, nothing of the program's is unacknowledged, and the window is open, so that it is no window probe.
  bool isKeepalive(const Packet& segment) const;

  // So many of the program's bytes are acknowledged by the far end, counted from the start of the flow; less
  // than before has no effect. The packet to send to the program, where there is news for it.
  [[nodiscard]] std::optional<Bytes> advance(std::uint64_t acknowledged);
  // From now on everything passes as it is: the kernel's own acknowledgements are wanted, or the module's
  // socket is gone and no report will come. The packet to send, where one was withheld.
  [[nodiscard]] std::optional<Bytes> release();
  bool released() const { return released_; }

  // Bytes of the program that the inner kernel has acknowledged, without its FIN.
  std::uint64_t taken() const;
  // taken() less what the far end has acknowledged: what a lying acknowledgement would have lied about.
  std::uint64_t unconfirmed() const;

  static constexpr unsigned kCreditMax = 16;

 private:
  // What the inner kernel said in one segment.
  struct Claim {
    std::int64_t ack;   // offset
    std::int64_t edge;  // offset; right edge of the window
  };
  void observeSyn(const TcpView& segment);
  void filterSyn(const TcpView& segment);
  void remember(const Packet& segment, const TcpView& view, const Claim& claim);
  bool isNews(const TcpView& view, const Claim& claim, std::int64_t shown) const;
  // How far the program may see an acknowledgement.
  std::int64_t limit() const;
  std::int64_t offsetOf(std::uint32_t seq) const;
  std::uint32_t seqOf(std::int64_t offset) const { return origin_ + static_cast<std::uint32_t>(offset); }
  std::uint16_t windowField(std::int64_t from, std::int64_t edge) const;
  Bytes freshAck(std::int64_t ack);

  // The program's side.
  bool has_origin_ = false;
  std::uint32_t origin_ = 0;  // sequence number of its first byte
  bool app_scales_ = false;
  std::int64_t app_next_ = 0;  // behind the highest it has sent
  std::optional<std::int64_t> fin_;
  unsigned credit_ = 0;  // acknowledgements without news that are owed
  // The inner kernel's side.
  bool heard_ = false;  // it has acknowledged something, if only the SYN
  bool over_ = false;   // it has reset the connection
  std::optional<std::uint8_t> inner_scale_;
  Claim newest_{0, 0};
  Endpoint from_;
  Endpoint to_;
  std::uint32_t inner_next_ = 0;  // sequence number behind its last
  std::optional<TcpTimestamps> timestamps_;
  // What the program has been shown.
  Claim shown_{0, 0};
  // The far end's side.
  std::int64_t acknowledged_ = 0;
  bool released_ = false;
};

}  // namespace qimux::net
