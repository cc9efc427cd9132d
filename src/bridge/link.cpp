#include "qimux/bridge/link.hpp"

#include "qimux/base/log.hpp"
#include "qimux/net/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

constexpr async::Duration kFirstPause = 1s;
constexpr async::Duration kLongestPause = 60s;
constexpr async::Duration kDrainBeat = 50ms;
// After so many failures in a row the next stronger step is taken.
constexpr int kFailuresPerStep = 3;

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
      since_(loop.now()),
      stop_timer_(loop),
      device_over_(loop),
      life_(loop),
      outer_(loop) {}

Link::~Link() {
  outer_.cancel();
  tearDown();
}

void Link::start() {
  outer_.spawn(run());
}

void Link::enter(LinkState next) {
  if (next == state_) return;
  state_ = next;
  since_ = loop_.now();
  log::info(fmt::format("link: {}", name(next)));
  if (change_) change_(next);
}

void Link::note(const Error& error) {
  // The same again and again is one message.
  const bool news = !last_error_ || last_error_->text() != error.text();
  last_error_ = error;
  if (news) log::warning(fmt::format("link: {}", error.text()));
}

void Link::count(const std::string& step) {
  ++recoveries_[step];
  log::notice(fmt::format("link: recovery step: {}", step));
}

void Link::tearDown() {
  life_.cancel();
  multiplexer_.linkLost();
  module_.reset();
  channel_.reset();
  port_.reset();
}

async::Task<void> Link::run() {
  while (!stopping_) {
    auto port = open_port_();
    if (!port) {
      note(port.error());
      enter(LinkState::NoDevice);
      co_await async::sleep(loop_, options_.device_retry);
      continue;
    }
    port_ = std::move(*port);
    device_over_.reset();
    port_->onLost([this](const Error& error) {
      note(error);
      device_over_.set();
    });
    channel_ = std::make_unique<at::Channel>(loop_, *port_);
    channel_->onUrc([this](const at::Urc& urc) { multiplexer_.onUrc(urc); });
    module_ = std::make_unique<module::Module>(loop_, *channel_, options_.module);
    life_.spawn(life());
    co_await device_over_.wait();
    tearDown();
  }
  finishStop();
}

// With one opened device: up, serve, and up again.
async::Task<void> Link::life() {
  while (!stopping_) {
    const auto up = co_await bringUp();
    if (up) {
      failures_ = 0;
      enter(LinkState::Online);
      const Error lost = co_await multiplexer_.serve(*module_);
      multiplexer_.linkLost();
      if (stopping_) break;
      note(lost);
      count(lost.what == "PDP context" ? "reactivate" : "bring_up");
      continue;
    }
    note(up.error());
    if (stopping_) break;
    co_await recover();
  }
  co_await shutDown();
  device_over_.set();
}

async::Task<Result<void>> Link::bringUp() {
  enter(LinkState::Synchronising);
  auto answering = co_await module_->synchronise();
  if (!answering) co_return answering;
  enter(LinkState::Sim);
  auto ready = co_await module_->unlockSim();
  if (!ready) co_return ready;
  enter(LinkState::Registering);
  auto registered = co_await module_->awaitRegistration(options_.registration);
  if (!registered) co_return registered;
  enter(LinkState::Activating);
  auto active = co_await module_->activate();
  if (!active) co_return active;
  co_await module_->refreshRadio();
  log::notice(fmt::format("link: online as {}", net::text(module_->address())));
  co_return Result<void>();
}

// After an attempt that failed: a pause that grows, and from time to time something stronger than another
// attempt.
async::Task<void> Link::recover() {
  ++failures_;
  enter(LinkState::Pausing);
  const auto pause = kFirstPause * (1 << std::min(failures_ - 1, 6));
  co_await async::sleep(loop_, std::min<async::Duration>(pause, kLongestPause));
  // What only a person can mend (a PIN, a PUK) no restart does.
  if (last_error_->kind == ErrorKind::Invalid || failures_ % kFailuresPerStep != 0) co_return;
  if (channel_->inDoubt()) {
    // Nothing answers: the port's settings may have been changed under us.
    count("reopen");
    device_over_.set();
    co_await async::sleep(loop_, kLongestPause);
  }
  count("restart");
  at::Command restart("AT+CFUN=1,1", 15s);
  static_cast<void>(co_await channel_->execute(std::move(restart)));
}

async::Task<void> Link::drain() {
  while (multiplexer_.unconfirmed() > 0) co_await async::sleep(loop_, kDrainBeat);
  multiplexer_.stopServing();
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

void Link::stop(async::Duration limit, std::function<void()> done) {
  if (stopping_) return;
  stopping_ = true;
  stopped_ = std::move(done);
  // Without a device, or in the middle of coming up, there is nothing that a peer would miss.
  const bool serving = multiplexer_.serving();
  stop_timer_.start(serving ? limit : 0s, [this] { cutShort(); });
  if (serving) outer_.spawn(drain());
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
