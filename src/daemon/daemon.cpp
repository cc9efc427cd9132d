#include "qimux/daemon/daemon.hpp"

#include "qimux/base/log.hpp"
#include "qimux/bridge/gateway.hpp"
#include "qimux/bridge/link.hpp"
#include "qimux/bridge/socket_stream.hpp"
#include "qimux/capture/tap.hpp"
#include "qimux/daemon/control_server.hpp"
#include "qimux/daemon/hooks.hpp"
#include "qimux/daemon/pin_file.hpp"
#include "qimux/daemon/reload.hpp"
#include "qimux/daemon/report.hpp"
#include "qimux/daemon/service.hpp"
#include "qimux/daemon/system_dns_run.hpp"
#include "qimux/daemon/usage_meter.hpp"
#include "qimux/daemon/wiring.hpp"
#include "qimux/net/interface_keeper.hpp"
#include "qimux/net/private_namespace.hpp"
#include "qimux/net/sock_diag.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <utility>

namespace qimux::daemon {
namespace {

using namespace std::chrono_literals;

// Packets of one TUN before the other one and the port get their turn.
constexpr int kPacketsPerTurn = 64;
// Signal and operator are asked when somebody looks, and no more often than this: an idle link stays silent.
constexpr async::Duration kRadioAge = 10s;
constexpr std::size_t kMaxPacket = 2048;
// What an end may take beside shutdown.drain.
constexpr async::Duration kStopReserve = 15s;
// The hook that is told of the end has at least this, however short the drain was, and however long it took.
constexpr async::Duration kLastHook = 1s;

net::OuterInterface::Options interfaceOptions(const Config& config) {
  net::OuterInterface::Options options;
  options.name = config.tun.name;
  options.address = config.tun.address;
  options.mtu = static_cast<unsigned>(config.tun.mtu);
  options.routes = config.tun.routes;
  options.metric = config.tun.metric;
  return options;
}

bridge::LinkOptions linkOptions(const Config& config, serial::ResetLine* reset_line, capture::Tap* tap) {
  bridge::LinkOptions options = linkOptions(config);
  options.seed = std::random_device()();
  if (reset_line != nullptr)
    options.reset_line = [reset_line](serial::Port& port) { return reset_line->pulse(port); };
  rememberPin(options.module, config.tun.name);
  if (tap != nullptr) tap->wire(options);
  return options;
}

class DaemonImpl final : public Daemon, private ControlHandler {
 public:
  DaemonImpl(async::UvLoop& loop, const Config& config, std::function<void(End)> on_stopped,
             net::PrivateNamespace inner, net::OuterInterface outer, net::SockDiag diag, capture::Tap* tap)
      : loop_(loop),
        config_(config),
        tap_(tap),
        on_stopped_(std::move(on_stopped)),
        started_(loop.now()),
        inner_(std::move(inner)),
        outer_(std::move(outer)),
        diag_(std::move(diag)),
        accept_pause_(loop),
        system_dns_(loop, config, outer_.index()),
        hooks_(loop, config.hooks,
               [&loop](async::Command command, async::Duration limit) {
                 return async::runChild(loop, std::move(command), limit);
               }),
        multiplexer_(loop, multiplexerOptions(config)),
        gateway_(loop, multiplexer_, bridge::Policy(config.policy), gatewayOptions(config), gatewayExits()),
        usage_(loop, multiplexer_, gateway_, usageOptions(config)),
        reset_line_(serial::ResetLine::make(loop, config.module.reset)),
        link_(loop, multiplexer_, linkOptions(config, reset_line_.get(), tap), [this] { return openPort(); }),
        service_(loop, Service::manager(), [this] { return engine(); }, [this] { return statusLine(); }) {
    link_.onChange([this](bridge::LinkState state) { onLink(state); });
    watchTuns();
  }

  Result<void> listen() {
    auto control = ControlServer::listen(loop_, *this, config_.control.socket, config_.control.group);
    if (!control) return std::unexpected(control.error());
    control_ = std::move(*control);
    auto keeper = net::InterfaceKeeper::start(loop_, outer_.index(), interfaceOptions(config_),
                                              [this] { system_dns_.routesChanged(); });
    if (!keeper) return std::unexpected(keeper.error());
    keeper_ = std::move(*keeper);
    return {};
  }

  void start() override {
    if (tap_ != nullptr) tap_->start();
    log::notice(fmt::format("qimuxd {}: the module at {} is {}, {}", QIMUX_VERSION, config_.serial.device,
                            config_.tun.name, net::text(config_.tun.address)));
    if (const auto usable = reset_line_ == nullptr ? Result<void>() : reset_line_->check(); !usable)
      log::warning(
          fmt::format("module.reset: {}: the module could not be reset by it", usable.error().text()));
    link_.start();
    system_dns_.start();
  }

  void stop() override {
    if (end_) return on_stopped_(*end_);
    endFor(End::Stopped);
  }

  void reload(const std::function<std::optional<Config>()>& read) override {
    service_.reloading();
    if (const auto fresh = read()) {
      apply(*fresh);
    } else {
      log::error("reload: the configuration stays as it was");
    }
    service_.reloaded();
  }

 private:
  // In order, whatever it is for; only the first reason counts.
  void endFor(End why) {
    if (end_) return;
    end_ = why;
    service_.stopping(config_.shutdown.drain + kStopReserve);
    if (tap_ != nullptr) tap_->stop(config_.shutdown.drain);
    const auto until = loop_.now() + std::max<async::Duration>(config_.shutdown.drain, kLastHook);
    link_.stop(config_.shutdown.drain, [this, until] {
      if (tap_ != nullptr) tap_->stopped();
      hooks_.finish(std::max<async::Duration>(until - loop_.now(), kLastHook),
                    [this] { system_dns_.stop(kToolTime, [this] { on_stopped_(*end_); }); });
    });
  }

  void apply(const Config& fresh) {
    if (tap_ != nullptr) return log::warning("reload: not while a capture is made: it has one configuration");
    const Reload reload = compare(config_, fresh);
    config_ = merged(config_, fresh);
    if (reload.policy) gateway_.setPolicy(bridge::Policy(config_.policy));
    if (reload.keepalive) {
      auto session = multiplexerOptions(config_).session;
      multiplexer_.setKeepalive(session.liveness, std::move(session.probes));
    }
    if (reload.hooks) hooks_.use(config_.hooks);
    log::notice(reload.applied.empty() ? "reload: nothing has changed that takes effect"
                                       : fmt::format("reload: {}", fmt::join(reload.applied, ", ")));
    if (reload.restart.empty()) return;
    log::warning(fmt::format("reload: {}: needs a restart", fmt::join(reload.restart, ", ")));
  }

  Result<std::unique_ptr<serial::Port>> openPort() {
    return tap_ == nullptr ? openTty() : tap_->opened(openTty());
  }

  Result<std::unique_ptr<serial::Port>> openTty() {
    const serial::TtySettings settings{config_.serial.device, config_.serial.baud,
                                       config_.serial.flow_control};
    auto port = serial::TtyPort::open(loop_, settings);
    const bool ends = !port && config_.serial.on_missing == OnMissing::Exit;
    if (ends) {
      // The link has yet to say that it is down, which the hook is to hear.
      loop_.post([this] { endFor(End::DeviceMissing); });
    } else {
      service_.ready();
    }
    if (port) return std::unique_ptr<serial::Port>(std::move(*port));
    return std::unexpected(port.error());
  }

  bridge::Gateway::Exits gatewayExits() {
    bridge::Gateway::Exits exits;
    // A packet that the kernel has no room for is lost, as on any link: it is sent again by who cares for it.
    exits.to_program = [this](ByteView packet) {
      if (tap_ != nullptr) tap_->toProgram(packet);
      static_cast<void>(outer_.tun().write(packet));
    };
    exits.to_inner = [this](ByteView packet) {
      if (tap_ != nullptr) tap_->toInner(packet);
      static_cast<void>(inner_.tun().write(packet));
    };
    exits.program_gone = [this](const net::FlowKey& key) {
      const bool gone = diag_.holder(key) == net::SockDiag::Holder::Nobody;
      return tap_ == nullptr ? gone : tap_->programGone(gone);
    };
    return exits;
  }

  void watchTuns() {
    outer_watch_ = loop_.watch(outer_.tun().fd(), async::Interest{.readable = true}, [this](async::Interest) {
      const bool there = drain(outer_.tun(), [this](ByteSpan packet) {
        usage_.sawPacket(packet);
        if (tap_ != nullptr) tap_->fromProgram(packet);
        gateway_.fromProgram(packet);
      });
      if (!there) interfaceGone(*outer_watch_);
    });
    inner_watch_ = loop_.watch(inner_.tun().fd(), async::Interest{.readable = true}, [this](async::Interest) {
      const bool there = drain(inner_.tun(), [this](ByteSpan packet) {
        if (tap_ != nullptr) tap_->fromInner(packet);
        gateway_.fromInner(packet);
      });
      if (!there) interfaceGone(*inner_watch_);
    });
    listener_watch_ = loop_.watch(inner_.listener(), async::Interest{.readable = true},
                                  [this](async::Interest) { acceptAll(); });
  }

  // False where there is nothing to read from any more.
  template <typename Call>
  bool drain(net::Tun& tun, Call call) {
    std::array<Byte, kMaxPacket> buffer;
    for (int i = 0; i < kPacketsPerTurn; ++i) {
      const auto size = tun.read(buffer);
      if (!size) log::error(size.error().text() + ": somebody deleted the interface");
      if (!size) return false;
      if (*size == 0) return true;
      call(ByteSpan(buffer).first(*size));
    }
    return true;
  }

  // It would go on saying so. What ends the daemon is the first of it; a new one makes the interface anew.
  void interfaceGone(async::UvLoop::FdWatch& watch) {
    watch.want(async::Interest{});
    endFor(End::InterfaceGone);
  }

  void acceptAll() {
    for (;;) {
      sockaddr_in peer{};
      socklen_t length = sizeof peer;
      Fd fd(::accept4(inner_.listener(), reinterpret_cast<sockaddr*>(&peer), &length,
                      SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return pauseAccepting(errno);
      const std::uint16_t port = ntohs(peer.sin_port);
      std::unique_ptr<bridge::AppStream> stream =
          std::make_unique<bridge::SocketStream>(loop_, std::move(fd));
      if (tap_ != nullptr) stream = tap_->accepted(port, std::move(stream));
      gateway_.accepted(port, std::move(stream));
    }
  }

  // Without a descriptor to spare the listener would stay readable, and the loop would spin.
  void pauseAccepting(int why) {
    if (why != EMFILE && why != ENFILE && why != ENOBUFS && why != ENOMEM) return;
    log::warning(fmt::format("connections have to wait: {}", std::strerror(why)));
    listener_watch_->want(async::Interest{});
    accept_pause_.start(1s, [this] { listener_watch_->want(async::Interest{.readable = true}); });
  }

  void onLink(bridge::LinkState state) {
    if (tap_ != nullptr) tap_->link(bridge::name(state));
    gateway_.online(state == bridge::LinkState::Online);
    hooks_.link(state == bridge::LinkState::Online, factsOf(config_, link_.module()));
    service_.refresh();
    if (state == bridge::LinkState::Online) radio_at_ = loop_.now();
  }

  Engine engine() const {
    const at::Channel* channel = link_.channel();
    if (channel == nullptr) return {};
    return {channel->counters().commands, channel->deadline(), link_.working()};
  }

  std::string statusLine() const {
    const auto condition = link_.condition();
    const auto state = bridge::name(link_.state());
    return condition ? fmt::format("Link {}: {}", state, condition->message) : fmt::format("Link {}", state);
  }

  Rooms rooms() const { return Rooms{config_, link_, multiplexer_, gateway_, started_, loop_.now()}; }

  void handle(const Request& request, Respond respond) override {
    switch (request.verb) {
      case Verb::Status:
      case Verb::Watch:
        return withRadio([this](Respond answer) { answer(Response::ok(statusReport(rooms()))); },
                         std::move(respond));
      case Verb::Sockets:
        return respond(Response::ok(socketsReport(rooms())));
      case Verb::Flows:
        return respond(Response::ok(flowsReport(rooms())));
      case Verb::Stats:
        return respond(Response::ok(statsReport(rooms())));
      case Verb::Recoveries:
        return respond(Response::ok(recoveriesReport(rooms())));
      case Verb::At:
        return handleAt(request.argument, std::move(respond));
      case Verb::Dns:
        return handleDns(request.argument, std::move(respond));
      case Verb::Ping:
        return handlePing(request.argument, std::move(respond));
      case Verb::LogLevel:
        return handleLogLevel(request.argument, std::move(respond));
      case Verb::Reset:
        return handleReset(request.argument == "line", std::move(respond));
      case Verb::Usage:
        return respond(Response::ok(usage_.report(request.argument)));
      case Verb::Version:
        return respond(Response::ok({{"version", QIMUX_VERSION}}));
    }
  }

  // Answers at once with what is known; what is old is asked again for the next time.
  void withRadio(std::move_only_function<void(Respond)> report, Respond respond) {
    report(std::move(respond));
    const bool old = loop_.now() - radio_at_ > kRadioAge;
    if (!old || link_.state() != bridge::LinkState::Online) return;
    radio_at_ = loop_.now();
    if (tap_ != nullptr) tap_->askRadio();
    multiplexer_.refreshRadio([] {});
  }

  void handleAt(const std::string& command, Respond respond) {
    if (tap_ != nullptr) tap_->askAt(command);
    multiplexer_.execute(command,
                         [respond = std::move(respond)](Result<std::vector<std::string>> lines) mutable {
                           if (!lines) return respond(Response::failed(lines.error()));
                           nlohmann::ordered_json result;
                           result["lines"] = *lines;
                           result["final"] = "OK";
                           respond(Response::ok(result));
                         });
  }

  void handleDns(const std::string& host, Respond respond) {
    if (tap_ != nullptr) tap_->askName(host);
    multiplexer_.resolve(host, [respond = std::move(respond),
                                host](const Result<bridge::Multiplexer::Addresses>& found) mutable {
      if (!found) return respond(Response::failed(found.error()));
      nlohmann::ordered_json result;
      result["name"] = host;
      result["addresses"] = nlohmann::ordered_json::array();
      for (const auto address : *found) result["addresses"].push_back(net::text(address));
      respond(Response::ok(result));
    });
  }

  void handlePing(const std::string& address, Respond respond) {
    const auto parsed = net::parseAddress(address);
    if (!parsed) return respond(Response::failed(parsed.error()));
    if (tap_ != nullptr) tap_->askPing(*parsed);
    multiplexer_.ping(
        *parsed, [respond = std::move(respond), address](const Result<async::Duration>& time) mutable {
          if (!time) return respond(Response::failed(time.error()));
          nlohmann::ordered_json result;
          result["address"] = address;
          result["time_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*time).count();
          respond(Response::ok(result));
        });
  }

  // Answers when it has begun: the link is in state "recovering" then, and "online" again when it is done.
  void handleReset(bool by_line, Respond respond) {
    const auto step = by_line ? bridge::RecoveryStep::ResetLine : bridge::RecoveryStep::Restart;
    if (tap_ != nullptr) tap_->askReset(by_line);
    const auto begun = link_.reset(step);
    if (!begun) return respond(Response::failed(begun.error()));
    respond(Response::ok({{"step", bridge::name(step)}}));
  }

  static void handleLogLevel(const std::string& level, Respond respond) {
    if (const auto parsed = log::parseLevel(level)) log::setLevel(*parsed);
    respond(Response::ok({{"level", log::name(log::level())}}));
  }

  async::UvLoop& loop_;
  Config config_;
  capture::Tap* tap_;  // null: nothing is captured
  std::function<void(End)> on_stopped_;
  async::TimePoint started_;
  net::PrivateNamespace inner_;
  net::OuterInterface outer_;
  net::SockDiag diag_;
  async::Timer accept_pause_;
  SystemDnsAgent system_dns_;
  Hooks hooks_;
  bridge::Multiplexer multiplexer_;
  bridge::Gateway gateway_;
  UsageMeter usage_;
  std::unique_ptr<serial::ResetLine> reset_line_;
  bridge::Link link_;
  Service service_;
  std::unique_ptr<async::UvLoop::FdWatch> outer_watch_;
  std::unique_ptr<async::UvLoop::FdWatch> inner_watch_;
  std::unique_ptr<async::UvLoop::FdWatch> listener_watch_;
  std::unique_ptr<net::InterfaceKeeper> keeper_;
  std::unique_ptr<ControlServer> control_;
  async::TimePoint radio_at_{};
  std::optional<End> end_;  // why it is about to end
};

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(async::UvLoop& loop, const Config& config,
                                               std::function<void(End)> on_stopped, capture::Tap* tap) {
  auto inner = net::PrivateNamespace::create({.mtu = static_cast<unsigned>(config.tun.mtu)});
  if (!inner) return std::unexpected(inner.error());
  auto outer = net::OuterInterface::create(interfaceOptions(config));
  if (!outer) return std::unexpected(outer.error());
  auto diag = net::SockDiag::open();
  if (!diag) return std::unexpected(diag.error());
  auto daemon = std::make_unique<DaemonImpl>(loop, config, std::move(on_stopped), std::move(*inner),
                                             std::move(*outer), std::move(*diag), tap);
  if (const auto listening = daemon->listen(); !listening) return std::unexpected(listening.error());
  return daemon;
}

}  // namespace qimux::daemon
