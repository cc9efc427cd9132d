// Runs a capture through the daemon's cores again, and compares what they put out with what they put out
// then.
//
// Theory of operation
//
// The cores depend on nothing but their inputs, their clock, and the order of both. The capture has all
// three: a moment for each call from outside and for each turn of the loop itself. So the replay has a loop
// that does nothing by itself: it sets its clock to the moment's time and does that moment. While it runs,
// what the cores ask (may the port be opened? how much waits in this stream?) is answered as it was then.
// Cores that are what they were do the same, to the byte and to the microsecond.
//
// Cores that were changed do something else sooner or later, and that is what the replay is to find. Where
// the change is none in what they put out, it shall not: so the replay holds to the capture no more than it
// must.
//
//  - What is put out is compared in order for each channel by itself (the port, each TUN, each stream, the
//  state of
//    the link), the port and the streams byte by byte whatever the pieces. It may come at most `slack` before
//    or after its time. Of packets, the identification and the checksums may differ, which must be right
//    where they were.
//  - A timer that the capture knows nothing of (it was due, the loop is seen running later, and did not fire
//  it) fires
//    when it is due; what is ready runs at the latest before the clock goes on.
//  - Nothing comes from outside before what stood before it in the capture has been put out, since it may be
//  the
//    answer to that: for at most `slack` the clock goes on by itself to let it come.
//  - A stream gives its bytes in whatever pieces it is asked for.
//
// The first difference ends it: what follows is its consequence.
#pragma once

#include "qimux/bridge/gateway.hpp"
#include "qimux/bridge/link.hpp"
#include "qimux/capture/channel.hpp"
#include "qimux/capture/file.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace qimux::capture {

struct ReplayOptions {
  bridge::MultiplexerOptions multiplexer;
  bridge::GatewayOptions gateway;
  bridge::LinkOptions link;
  bool has_reset_line = false;
  std::vector<bridge::PolicyRule> policy;
  async::Duration slack = std::chrono::seconds(1);
  async::Duration until = async::Duration::max();
  // Told of each record, of a moment before it is run; may be empty.
  std::function<void(const Record&)> on_record;
};

class Replay {
 public:
  struct Figures {
    std::size_t moments = 0;
    std::size_t outputs = 0;
    std::uint64_t bytes = 0;     // compared
    std::size_t unrecorded = 0;  // turns of the loop that the capture did not have
    async::Duration length{};
  };

  virtual ~Replay() = default;
  // `capture` outlives it.
  static std::unique_ptr<Replay> create(const Capture& capture, const ReplayOptions& options);

  // Nothing where all was the same.
  virtual std::optional<Divergence> run() = 0;
  virtual const Figures& figures() const = 0;
  // The time of the replay, since the capture began.
  virtual async::Duration now() const = 0;
};

// The rules of the capture's own daemon: a rule about destinations speaks of the stand-ins that stand for
// what it spoke of (Kind::Rules).
std::vector<bridge::PolicyRule> replayPolicy(const Capture& capture,
                                             const std::vector<bridge::PolicyRule>& rules);

}  // namespace qimux::capture
