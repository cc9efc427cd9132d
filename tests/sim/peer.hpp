// The far end of a TCP connection: echo, sink, source, or answers to requests; at random times, behind a
// window that may be small, with one of the ends that servers make.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/virtual_network.hpp"
#include "sim/dice.hpp"
#include "sim/pattern.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::simtest {

enum class PeerKind {
  Free,    // sends what it has, whatever it hears; a sink where that is nothing
  Echo,    // gives back what it gets
  Answer,  // `response` bytes for each `request` bytes
};

enum class PeerEnd {
  Never,         // waits for the other side
  AfterSending,  // closes when it has sent all
  AfterAll,      // closes when it has sent and received all
  Reset,         // in the middle
};
std::string_view name(PeerEnd end);

struct PeerPlan {
  PeerKind kind = PeerKind::Free;
  StreamId up_stream = 0;
  StreamId down_stream = 0;
  std::uint64_t up_total = 0;
  std::uint64_t down_total = 0;
  std::uint64_t request = 0;
  std::uint64_t response = 0;
  std::uint64_t burst = 16384;  // sent at a time, at most
  async::Duration delay{0};     // before each sending, at most
  // Takes so many bytes, then so many more each time the gap is over.
  std::optional<std::uint64_t> window;
  async::Duration window_gap{0};
  PeerEnd end = PeerEnd::AfterAll;
  std::uint64_t reset_at = 0;
  // The module may fall silent in the middle of a send: then it takes what asks whether it lives for payload.
  bool spoilable = false;
};

// What a test knows of a far end; outlives it.
struct PeerRecord {
  int connections = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  bool spoiled = false;      // what asks whether the module lives has come as payload
  bool closed = false;       // closed by itself, in order
  bool reset = false;        // reset by itself
  bool ended = false;        // the module has closed
  bool ended_reset = false;  // by a reset
};

// Whether it is nothing but what brings a module back that waits for payload.
bool isKnocking(ByteView bytes);

class Peer final : public sim::VirtualPeer {
 public:
  Peer(async::Loop& loop, const PeerPlan& plan, std::uint64_t seed, PeerRecord& record,
       std::function<void(const std::string&)> fault);

  void connected() override;
  void received(ByteView bytes) override;
  void ended(bool reset) override;

 private:
  void planSending();
  void sendSome();
  void openWindow();
  void decide();
  std::uint64_t maySend() const;

  const PeerPlan plan_;
  Dice dice_;
  PeerRecord& record_;
  std::function<void(const std::string&)> fault_;
  std::uint64_t window_left_ = 0;
  async::Timer send_timer_;
  async::Timer window_timer_;
};

}  // namespace qimux::simtest
