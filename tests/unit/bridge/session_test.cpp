#include "qimux/bridge/session.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <set>
#include <string_view>

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;

namespace {

// Nothing but the state machine.
class Bare final : public Session {
 public:
  Bare(async::Loop& loop, const SessionRules& rules)
      : Session(loop, rules, 7, module::Protocol::Tcp, net::Endpoint{0x0a000001, 80}) {}
  using Session::enter;
  void small() { last_small_ = loop_.now(); }

  Want want(async::TimePoint) override { return {}; }
  async::TimePoint yieldsAt() const override { return async::TimePoint::max(); }
  ByteView payload(std::size_t) override { return {}; }
  std::size_t readSize(std::size_t) const override { return 1; }
  void connected() override {}
  void failed(Failure) override {}
  void sendDone(std::size_t) override {}
  void sendFull() override {}
  void unsendable() override {}
  void readDone(Bytes) override {}
  void readRefused() override {}
  void counters(const module::SendCounters&) override {}
  void arrived(std::optional<std::size_t>, std::optional<std::size_t>) override {}
  void remoteClosed() override {}
  void checked(bool) override {}
  void lost() override {}
  void closed() override {}
};

struct Rig {
  async::VirtualLoop loop;
  SessionRules rules;
  Bare session{loop, rules};
};

}  // namespace

TEST_CASE("a session is born waiting, without a socket") {
  Rig rig;
  CHECK(rig.session.state() == SessionState::Waiting);
  CHECK(rig.session.slot() == -1);
  CHECK(rig.session.id() == 7);
  CHECK(rig.session.remote() == net::Endpoint{0x0a000001, 80});
  CHECK_FALSE(rig.session.openSent());
}

TEST_CASE("a socket belongs to it from the grant to the close") {
  Rig rig;
  rig.session.granted(3);
  CHECK(rig.session.state() == SessionState::Opening);
  CHECK(rig.session.slot() == 3);
  rig.session.openSent(rig.loop.now() + 80s);
  CHECK(rig.session.openSent());
  rig.session.enter(SessionState::Connected);
  rig.session.enter(SessionState::Closing);
  CHECK(rig.session.slot() == 3);
  rig.session.enter(SessionState::Finishing);
  CHECK(rig.session.slot() == -1);
  rig.session.enter(SessionState::Ended);
  CHECK(rig.session.slot() == -1);
}

TEST_CASE("a second grant is a new open") {
  Rig rig;
  rig.session.granted(3);
  rig.session.openSent(rig.loop.now() + 80s);
  rig.session.enter(SessionState::Waiting);
  CHECK(rig.session.slot() == -1);
  rig.session.granted(0);
  CHECK_FALSE(rig.session.openSent());
  CHECK(rig.session.slot() == 0);
}

TEST_CASE("a small exchange makes it interactive for three seconds") {
  Rig rig;
  CHECK_FALSE(rig.session.interactive(rig.loop.now()));
  rig.session.small();
  CHECK(rig.session.interactive(rig.loop.now() + 2999ms));
  CHECK_FALSE(rig.session.interactive(rig.loop.now() + 3s));
}

TEST_CASE("states and failures have names of their own") {
  using enum SessionState;
  std::set<std::string_view> names;
  for (const auto state : {Waiting, Opening, Connected, Closing, Finishing, Ended}) names.insert(name(state));
  CHECK(names ==
        std::set<std::string_view>{"waiting", "opening", "connected", "closing", "finishing", "ended"});
  using enum Failure;
  names.clear();
  for (const auto failure : {Refused, Unreachable, Offline, NoSlot}) names.insert(name(failure));
  CHECK(names == std::set<std::string_view>{"refused", "unreachable", "offline", "no_slot"});
}
