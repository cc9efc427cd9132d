// One TCP connection of a program, on the kernel's side: the held SYN, the rewriting, the truth about its
// end.
//
// The program's segments come from the outer TUN and go, readdressed, to the inner one, where the kernel's
// own TCP answers; its segments come back the same way, through the AckGate. Between the SYN and the module's
// CONNECT OK nothing passes: the SYN waits here. So does a keepalive of the program's kernel until the module
// has been asked: without its answer the inner kernel does not see it, and the program's gives up in its
// time.
#pragma once

#include "qimux/bridge/multiplexer.hpp"
#include "qimux/bridge/syn_watch.hpp"
#include "qimux/net/ack_gate.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/packet.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace qimux::bridge {

enum class Acknowledge { Remote, Module, Local };  // tcp.acknowledge

enum class FlowState {
  Held,         // the SYN waits for the module
  Answering,    // it was passed on: the inner kernel shakes hands
  Established,  // accepted; bytes move
  Over,         // the kernels finish their closing; nothing of the module is used any more
};
std::string_view name(FlowState state);

class TcpFlow;

// What a flow needs of the gateway that owns it.
class FlowHost {
 public:
  virtual ~FlowHost() = default;
  virtual void toProgram(ByteView packet) = 0;  // to the outer TUN
  virtual void toInner(ByteView packet) = 0;    // to the inner TUN
  // Refuses the SYN with an ICMP destination unreachable of that code.
  virtual void unreachable(ByteView about, std::uint8_t code) = 0;
  // Whether the program is known to be gone altogether.
  virtual bool programGone(const net::FlowKey& key) = 0;
  // The flow is to be forgotten, at once or after `linger`. The host destroys it later, from the loop.
  virtual void over(TcpFlow& flow, async::Duration linger) = 0;
};

class TcpFlow final : public TcpObserver {
 public:
  // `syn` is the program's packet, which is copied. `port` stands for the flow on the inner side.
  TcpFlow(async::Loop& loop, FlowHost& host, std::uint64_t id, const net::Packet& syn, std::uint16_t port,
          Acknowledge acknowledge);
  ~TcpFlow() override;

  // Waits for one of the module's sockets. Full: there is no room in the queue, and the program has been
  // told.
  Result<void> begin(Multiplexer& multiplexer);
  // Served by the gateway itself (a name server's connection): nothing of the module is needed.
  void beginLocally();

  // A segment of the program; may be rewritten in place.
  void fromProgram(net::Packet& segment);
  // A segment of the inner kernel, addressed to the NAT's peer; may be rewritten in place.
  void fromInner(net::Packet& segment);
  // The inner kernel's connection was accepted. Gives the stream back where the flow is one that the gateway
  // serves itself; drops it, which resets the program, where nobody waits for it any more.
  std::unique_ptr<AppStream> attach(std::unique_ptr<AppStream> stream);
  // A connection that the gateway served itself is closed.
  void endLocally() { finish(kLocalLinger); }
  bool local() const { return local_; }
  // The link has been gone for too long.
  void offline();
  // A new connection uses the same addresses: this one is history.
  void supersede();

  std::uint64_t id() const { return id_; }
  const net::FlowKey& key() const { return key_; }
  std::uint16_t port() const { return port_; }
  // The inner kernel knows of it.
  bool passedOn() const { return passed_on_; }
  FlowState state() const { return state_; }
  const TcpSession* session() const { return session_; }
  bool isSynOf(const net::Packet& segment) const;
  async::TimePoint since() const { return syn_watch_.first(); }
  std::uint64_t unconfirmed() const { return gate_.unconfirmed(); }

 private:
  // For the last FIN and its acknowledgement between the two kernels.
  static constexpr async::Duration kClosingLinger = std::chrono::seconds(60);
  // The same where no radio is between: a lost FIN is sent again within a second.
  static constexpr async::Duration kLocalLinger = std::chrono::seconds(10);

  void connected() override;
  void failed(Failure failure) override;
  void taken(std::uint64_t bytes) override;
  void acknowledged(std::uint64_t bytes) override;
  void vouched() override;
  bool programGone() override;
  void released() override;
  void ended() override;

  void enter(FlowState next);
  void tellOpen() const;
  void tellRefused(Failure failure) const;
  void refuse(Failure failure);
  void watchPatience();
  void onPatienceOver();
  void dropSession();
  void finish(async::Duration linger);
  void passOn(net::Packet& segment);
  void showProgram(const std::optional<Bytes>& acknowledgement);

  async::Loop& loop_;
  FlowHost& host_;
  std::uint64_t id_;
  net::FlowKey key_;
  std::uint16_t port_;
  Acknowledge acknowledge_;
  FlowState state_ = FlowState::Held;
  TcpSession* session_ = nullptr;
  bool local_ = false;
  bool passed_on_ = false;
  Bytes first_syn_;
  Bytes latest_syn_;
  std::uint32_t isn_ = 0;
  SynWatch syn_watch_;
  async::Timer timer_;
  net::AckGate gate_;
  Bytes keepalive_;  // the program's, held until the module has vouched for the connection
};

}  // namespace qimux::bridge
