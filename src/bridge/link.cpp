#include "qimux/bridge/link.hpp"

#include "qimux/base/log.hpp"
#include "qimux/net/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

constexpr async::Duration kDrainBeat = 50ms;
// In an activation that is to be left the module hears nothing for seconds, but it waits for no payload: few
// words, and time to hear them. The time for the stop ends it sooner.
constexpr int kFewKnocks = 3;
constexpr async::Duration kLeavePatience = 1min;
// So much of the time for a stop is kept for closing what is open.
constexpr int kClosingShare = 2;
// A device that has just gone often is back at once: a reset re-enumerates it.
constexpr async::Duration kSoon = 30s;
// So many unexpected starts within this time are a weak supply; and so long it is remembered.
constexpr std::size_t kManyStarts = 3;
constexpr async::Duration kStartsWithin = 2min;
constexpr async::Duration kSupplyRemembered = 10min;

// What an attempt to come up has failed of, by the state in which it did.
Loss lossIn(LinkState state, const Error& error) {
  const bool unanswered = error.kind == ErrorKind::Timeout || error.kind == ErrorKind::Garbled;
  if (error.kind == ErrorKind::Closed) return Loss{Cause::Started, error};
  switch (state) {
    case LinkState::Sim:
      if (error.kind == ErrorKind::Invalid) return Loss{Cause::Person, error};
      return Loss{error.what == "SIM" || !unanswered ? Cause::Sim : Cause::Silence, error};
    case LinkState::Registering:
      return Loss{error.what == "registration" || !unanswered ? Cause::Registration : Cause::Silence, error};
    case LinkState::Activating:
      if (unanswered && (error.what == "AT+QIACT" || error.what == "AT+QIDEACT"))
        return Loss{Cause::Unending, error};
      return Loss{unanswered ? Cause::Silence : Cause::Activation, error};
    default:
      return Loss{unanswered ? Cause::Silence : Cause::Stack, error};
  }
}

}  // namespace

std::string_view name(LinkState state) {
  switch (state) {
    case LinkState::NoDevice:
      return "no_device";
    case LinkState::Synchronising:
      return "synchronising";
    case LinkState::Sim:
      return "sim";
    case LinkState::Registering:
      return "registering";
    case LinkState::Activating:
      return "activating";
    case LinkState::Online:
      return "online";
    case LinkState::Pausing:
      return "pausing";
    case LinkState::Recovering:
      return "recovering";
    case LinkState::Stopping:
      return "stopping";
    case LinkState::Stopped:
      return "stopped";
  }
  return "unknown";
}

Link::Link(async::Loop& loop, Multiplexer& multiplexer, LinkOptions options, OpenPort open_port)
    : loop_(loop),
      multiplexer_(multiplexer),
      options_(std::move(options)),
      open_port_(std::move(open_port)),
      ladder_(static_cast<bool>(options_.reset_line), options_.seed),
      since_(loop.now()),
      missing_since_(loop.now()),
      uncovered_timer_(loop),
      stop_timer_(loop),
      device_over_(loop),
      word_(loop),
      life_(loop),
      outer_(loop) {
  multiplexer_.onRegistration([this] { onRegistration(); });
}

Link::~Link() {
  outer_.cancel();
  tearDown();
}

void Link::start() {
  outer_.spawn(run());
}

std::uint64_t Link::losses(Cause cause) const {
  const auto it = losses_.find(cause);
  return it == losses_.end() ? 0 : it->second;
}

bool Link::working() const {
  if (multiplexer_.serving()) return multiplexer_.hasTurn();
  switch (state_) {
    case LinkState::Synchronising:
    case LinkState::Sim:
    case LinkState::Registering:
    case LinkState::Activating:
    case LinkState::Recovering:
      return true;
    default:
      return false;
  }
}

std::optional<Condition> Link::condition() const {
  const bool supply = supply_ && loop_.now() < supply_->since + kSupplyRemembered;
  if (condition_ && !(supply && condition_->trouble == Trouble::Silent)) return condition_;
  if (supply) return supply_;
  if (multiplexer_.namesDeadSince())
    return Condition{Trouble::NamesDead, deadNames(), *multiplexer_.namesDeadSince()};
  return std::nullopt;
}

void Link::enter(LinkState next) {
  if (next == state_) return;
  state_ = next;
  since_ = loop_.now();
  if (next == LinkState::Online) {
    log::write(log::Level::Notice, fmt::format("link: online as {}", net::text(module_->address())),
               {{"LINK_STATE", name(next)}});
  } else {
    log::write(log::Level::Info, fmt::format("link: {}", name(next)), {{"LINK_STATE", name(next)}});
  }
  if (change_) change_(next);
}

void Link::note(const Loss& loss) {
  // The same again and again is one message.
  const bool news = !last_error_ || last_error_->text() != loss.error.text();
  last_error_ = loss.error;
  if (news) {
    log::write(log::Level::Warning, fmt::format("link: {}", loss.error.text()),
               {{"LINK_STATE", name(state_)}});
  }
  const module::Radio radio = module_ != nullptr ? module_->radio() : module::Radio{};
  const auto diagnosis = diagnose(loss, options_.module, radio);
  if (!diagnosis) return;
  if (condition_ && condition_->trouble == diagnosis->trouble) {
    condition_->message = diagnosis->message;
    return;
  }
  condition_ = Condition{diagnosis->trouble, diagnosis->message, loop_.now()};
  log::warning(fmt::format("trouble: {}: {}", name(diagnosis->trouble), diagnosis->message));
}

void Link::tearDown() {
  life_.cancel();
  uncovered_timer_.stop();
  multiplexer_.linkLost();
  module_.reset();
  channel_.reset();
  port_.reset();
  activated_ = settled_ = false;
}

void Link::takePort(std::unique_ptr<serial::Port> port) {
  multiplexer_.recovery().end({});
  port_ = std::move(port);
  device_over_.reset();
  port_->onLost([this](const Error& error) { portLost(error); });
  channel_ = std::make_unique<at::Channel>(loop_, *port_);
  channel_->onUrc([this](const at::Urc& urc) { onUrc(urc); });
  module_ = std::make_unique<module::Module>(loop_, *channel_, options_.module);
}

void Link::portMissing(const Error& error) {
  if (state_ != LinkState::NoDevice) missing_since_ = loop_.now();
  note(Loss{Cause::Device, error});
  enter(LinkState::NoDevice);
}

void Link::portLost(const Error& error) {
  ++losses_[Cause::Device];
  note(Loss{Cause::Device, error});
  multiplexer_.recovery().begin(RecoveryStep::AwaitDevice, error.text());
  device_over_.set();
}

async::Task<void> Link::run() {
  while (!stopping_) {
    auto port = open_port_();
    if (!port) {
      portMissing(port.error());
      const bool soon = loop_.now() < missing_since_ + kSoon;
      co_await async::sleep(loop_, soon ? options_.device_retry : options_.device_retry_later);
      continue;
    }
    takePort(std::move(*port));
    life_.spawn(life());
    co_await device_over_.wait();
    tearDown();
  }
  finishStop();
}

// With one opened device: up, serve, and up again.
async::Task<void> Link::life() {
  while (!stopping_) {
    auto up = co_await bringUp();
    if (up) {
      multiplexer_.recovery().end({});
      wentOnline();
      Loss lost = co_await multiplexer_.serve(*module_);
      uncovered_timer_.stop();
      multiplexer_.linkLost();
      if (stopping_) break;
      ++losses_[lost.cause];
      settled_ = lost.cause == Cause::Context && !channel_->inDoubt();
      up = std::unexpected(std::move(lost));
    } else {
      multiplexer_.recovery().end(std::unexpected(up.error().error));
      settled_ = settled_ && up.error().cause == Cause::Activation && !channel_->inDoubt();
      if (stopping_) break;
    }
    note(up.error());
    co_await recover(up.error());
  }
  co_await shutDown();
  device_over_.set();
}

void Link::wentOnline() {
  ladder_.online(loop_.now());
  condition_.reset();
  boot_until_ = {};
  enter(LinkState::Online);
  onRegistration();
}

// A module that is starting is silent for a while; one that starts in the middle of this begins again.
async::Task<Result<void>> Link::answering() {
  for (;;) {
    const auto done = co_await module_->synchronise();
    if (done || loop_.now() >= boot_until_) co_return done;
  }
}

async::Task<Link::Up> Link::bringUp() {
  for (;;) {
    started_ = false;
    auto up = co_await climb();
    // Its late RDY: what was set before is forgotten.
    if (!started_ || loop_.now() >= boot_until_) co_return up;
  }
}

async::Task<Link::Up> Link::climb() {
  enter(LinkState::Synchronising);
  Result<void> done;
  if (!settled_) done = co_await answering();
  if (done && !started_) {
    enter(LinkState::Sim);
    done = co_await module_->unlockSim();
  }
  if (done && !started_) {
    enter(LinkState::Registering);
    done = co_await module_->awaitRegistration(options_.registration);
  }
  if (done && !started_) {
    enter(LinkState::Activating);
    activated_ = true;
    multiplexer_.forgetLoss();
    done = co_await module_->activate();
  }
  if (done && !started_) co_await module_->refreshRadio();
  if (started_) done = std::unexpected(Error{ErrorKind::Closed, "module", "it has started anew (RDY)"});
  if (!done) co_return std::unexpected(lossIn(state_, done.error()));
  co_return Up();
}

void Link::onUrc(const at::Urc& urc) {
  using Kind = at::Urc::Kind;
  switch (urc.kind) {
    case Kind::Registration:
      word_.set();
      if (!urc.text.starts_with("+CGREG")) break;
      module_->noteRegistration(static_cast<int>(urc.value));
      onRegistration();
      break;
    case Kind::Ready:
      started_ = true;
      settled_ = false;
      word_.set();
      onVoltage(urc);
      break;
    case Kind::Voltage:
    case Kind::PowerDown:
      onVoltage(urc);
      break;
    case Kind::SimState:
    case Kind::CallReady:
      word_.set();
      break;
    default:
      // Of one that was silent, anything.
      if (channel_->inDoubt()) word_.set();
      break;
  }
  multiplexer_.onUrc(urc);
}

// What speaks of a weak supply: that it says so, that it switches off by itself, that it starts again and
// again. A start that was asked for is not counted.
void Link::onVoltage(const at::Urc& urc) {
  if (urc.kind == at::Urc::Kind::Ready) {
    if (loop_.now() < boot_until_) return;
    starts_.push_back(loop_.now());
    while (starts_.front() + kStartsWithin < loop_.now()) starts_.pop_front();
    if (starts_.size() < kManyStarts) return;
  } else if (!urc.text.starts_with("UNDER_VOLTAGE")) {
    return;
  }
  const std::string word = urc.kind == at::Urc::Kind::Ready ? "it starts again and again" : urc.text;
  if (!supply_ || loop_.now() >= supply_->since + kSupplyRemembered)
    log::warning(fmt::format("trouble: {}: {}", name(Trouble::UnderVoltage), weakSupply(word)));
  supply_ = Condition{Trouble::UnderVoltage, weakSupply(word), loop_.now()};
}

// While the link is up: coverage may go and come with the context and the sockets as they are. Opens wait
// meanwhile; what is open is given up only when it lasts.
void Link::onRegistration() {
  if (state_ != LinkState::Online && !(state_ == LinkState::Registering && multiplexer_.serving())) return;
  const bool covered = module_->radio().registered();
  multiplexer_.holdOpens(!covered);
  if (covered) {
    uncovered_timer_.stop();
    condition_.reset();
    return enter(LinkState::Online);
  }
  if (uncovered_timer_.armed()) return;
  const Loss loss{Cause::Registration, Error{ErrorKind::Timeout, "registration", "the network is lost"}};
  note(loss);
  enter(LinkState::Registering);
  uncovered_timer_.start(options_.registration, [this, loss] { multiplexer_.endServing(loss); });
}

async::Task<void> Link::drain(async::TimePoint until) {
  while (multiplexer_.unconfirmed() > 0 && loop_.now() < until) co_await async::sleep(loop_, kDrainBeat);
  multiplexer_.endServing(Loss{Cause::Stop, Error{ErrorKind::Cancelled, "link", "is shut down"}});
}

async::Task<void> Link::shutDown() {
  enter(LinkState::Stopping);
  if (channel_->inDoubt()) co_return;
  // Sockets first: a connection that is closed says so to its far end, one whose context goes does not.
  const auto stack = co_await module_->sockets().state();
  if (stack) {
    for (int slot = 0; slot < module::kSockets; ++slot) {
      if (!stack->sockets.at(static_cast<std::size_t>(slot)).connected()) continue;
      static_cast<void>(co_await module_->sockets().close(slot));
    }
  }
  static_cast<void>(co_await module_->deactivate());
}

// In the middle of coming up: the context may be there already.
async::Task<void> Link::leave() {
  enter(LinkState::Stopping);
  const auto answers = co_await channel_->resync(kFewKnocks, kLeavePatience);
  if (answers) co_await shutDown();
  device_over_.set();
}

void Link::stop(async::Duration limit, std::function<void()> done) {
  if (stopping_) return;
  stopping_ = true;
  stopped_ = std::move(done);
  const bool serving = multiplexer_.serving();
  // Where nothing was activated there is nothing that a peer or the network would miss.
  stop_timer_.start(serving || activated_ ? limit : 0s, [this] { cutShort(); });
  if (serving) {
    outer_.spawn(drain(loop_.now() + limit / kClosingShare));
  } else if (activated_) {
    life_.cancel();
    life_.spawn(leave());
  }
}

// Not from inside a task: it ends them all.
void Link::cutShort() {
  outer_.cancel();
  tearDown();
  finishStop();
}

void Link::finishStop() {
  if (!stopped_) return;
  stop_timer_.stop();
  enter(LinkState::Stopped);
  const auto done = std::exchange(stopped_, {});
  done();
}

}  // namespace qimux::bridge
