// A place for one socket of the module: what AT commands address by role and index.
//
// The six indices of AT+QIMUX=1 are shared by both contexts; each context has one connection of its own with
// AT+QIMUX=0, and places for the far ends that its server has accepted. Index 0 of the client's role and
// index 0 of the server's are two different sockets.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/connection.hpp"
#include "qimux/sim/context.hpp"
#include "qimux/sim/network.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace qimux::sim {

inline constexpr int kSockets = 6;
// Far ends that a server takes at most (application note 3.4).
inline constexpr int kAccepted = 5;

enum class SlotState {
  Initial,
  Connecting,
  Connected,
  Close,  // ended by the far end, with something left to read
};
// The word in +QISTATE.
std::string_view name(SlotState state);

struct Slot {
  Slot(async::Loop& loop, Role its_role, int its_context, int its_index)
      : role(its_role), index(its_index), context(its_context), timer(loop) {}

  const Role role;
  const int index;
  // Of the six shared ones: the context that has opened it last.
  int context;

  SlotState state = SlotState::Initial;
  Protocol protocol = Protocol::Tcp;
  Endpoint remote;
  // Opened with AT+QIMUX=1: what is said of it carries the index.
  bool mux = false;
  // Opened with AT+QIMODE=1.
  bool transparent = false;
  // AT+QINDI when it was opened.
  int indi = 0;
  // AT+QINDI=1: announced, and not read empty since.
  bool announced = false;
  // AT+QINDI=0: ended, and the host shall hear of it behind the data that is still to be pushed.
  bool end_untold = false;
  std::unique_ptr<Connection> connection;
  async::Timer timer;
  // Which open this is: what belongs to an earlier one of the same place is void.
  std::uint64_t generation = 0;
  // By a fault: so many sends fail.
  int failing_sends = 0;
  // By a fault: its end is told so late, and so often.
  struct Told {
    async::Duration delay{0};
    int times = 1;
  };
  std::optional<Told> end_told;

  bool used() const { return state != SlotState::Initial; }
};

}  // namespace qimux::sim
