// One TCP connection from end to end: a program, the bridge, the module, a far end; and everything that must
// hold of it whatever happens.
#pragma once

#include "qimux/bridge/multiplexer.hpp"
#include "sim/peer.hpp"
#include "sim/program.hpp"
#include "sim/world.hpp"

#include <optional>
#include <string>

namespace qimux::simtest {

struct ConversationPlan {
  ProgramPlan program;
  PeerPlan peer;
  // Between CONNECT OK and the program's connect() returning: the handshake of the kernels.
  async::Duration handshake{0};
  // The program stops waiting for its connect().
  std::optional<async::Duration> abandon_after;
  // Nobody listens there.
  bool refused = false;
};

// Sets the totals and streams of both ends so that they fit each other.
void fit(ConversationPlan& plan, int id);

class Conversation final : public bridge::TcpObserver {
 public:
  Conversation(World& world, int id, const ConversationPlan& plan, std::uint64_t seed);

  // The program's SYN.
  void start();
  // The module has been told, by a fault, that the far end has ended it, of which that knows nothing.
  void cut() { cut_ = true; }
  // Nothing more will happen.
  bool over() const { return started_ && session_over_ && (!attached_ || program_.over()); }

  enum class Weather {
    Fair,    // whatever went wrong could be mended: nothing may be lost, no session reset
    Rough,   // connects may have failed (a result was lost), but what connected is whole
    Stormy,  // sessions may have been lost, and then the program must know
  };
  // After over(): what must hold of the outcome.
  void judge(Weather weather);

  int id() const { return id_; }
  const ConversationPlan& plan() const { return plan_; }
  const Program& program() const { return program_; }
  const PeerRecord& peer() const { return record_; }
  bool wasConnected() const { return connected_; }
  async::TimePoint connectedAt() const { return connected_at_; }
  std::optional<bridge::Failure> failure() const { return failure_; }
  const bridge::TcpSession* session() const { return session_; }
  std::string summary() const;

 private:
  void connected() override;
  void failed(bridge::Failure failure) override;
  void taken(std::uint64_t bytes) override;
  void acknowledged(std::uint64_t bytes) override;
  bool programGone() override { return program_.over(); }
  void released() override;
  void ended() override;

  void lastCall();
  void attach();
  void abandon();
  void wrong(const std::string& what);
  void judgeFailure(Weather weather);
  void judgeUp(Weather weather);
  void judgeDown(Weather weather);
  bool clean() const { return program_.sawEnd() && !program_.sawReset(); }

  World& world_;
  int id_;
  ConversationPlan plan_;
  PeerRecord record_;
  Program program_;
  bridge::TcpSession* session_ = nullptr;
  async::Timer handshake_;
  async::Timer patience_;
  // The module throws away what is unread when the far end closes, and cannot be told not to.
  bool discards_ = false;
  bool cut_ = false;
  bool started_ = false;
  bool connected_ = false;
  bool attached_ = false;
  bool abandoned_ = false;
  bool session_over_ = false;
  async::TimePoint connected_at_{};
  std::uint64_t taken_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::optional<bridge::Failure> failure_;
};

}  // namespace qimux::simtest
