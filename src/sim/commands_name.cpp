// Names and echo requests (application note 8).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace qimux::sim {
namespace {

constexpr std::size_t kLongestHost = 100;
constexpr std::size_t kMostAddresses = 5;
// Where they come late.
constexpr auto kBetweenAddresses = std::chrono::milliseconds(50);
// Behind AT+QIDNSGIP's ERROR.
constexpr int kNetworkError = 3;
constexpr int kNoSuchHost = 4;
constexpr int kNameServerSilent = 5;
constexpr std::string_view kPingNoContext = "+QPING: 5";

void nameFails(Module& module, const Asker& asker, int code) {
  module.stack().asking = false;
  module.terminal().urc(fmt::format("ERROR: {}", code));
  module.terminal().urc(fmt::format("STATE: {}", name(asker.state())));
}

void nameFound(Module& module, const Asker& asker, const std::vector<Ipv4>& addresses) {
  if (!asker.active() || addresses.empty()) {
    const int nobody = module.stack().connects().names_dead ? kNameServerSilent : kNoSuchHost;
    nameFails(module, asker, asker.active() ? nobody : kNetworkError);
    return;
  }
  module.stack().asking = false;
  // Nothing says how many there will be.
  const bool late = module.quirk(Quirk::LateAddress);
  for (std::size_t i = 0; i < addresses.size() && i < kMostAddresses; ++i) {
    std::string line = text(addresses[i]);
    if (late && i > 0) {
      module.later().in(kBetweenAddresses * i, [&module, asker, line = std::move(line)]() mutable {
        if (asker.active()) module.terminal().urc(std::move(line));
      });
    } else {
      module.terminal().urc(std::move(line));
    }
  }
}

// AT+QIDNSGIP="host": OK, and the addresses later. One question at a time: the answers have no tag.
Reply resolve(Module& module, const Call& call) {
  const auto host = call.string(0);
  Stack& stack = module.stack();
  if (call.form != Form::Set || call.count() != 1 || !host || host->empty() || host->size() > kLongestHost) {
    return Reply::error();
  }
  Context& context = stack.foreground();
  if (stack.asking) return refused(module, call, "another name is being asked for");
  if (context.state == StackState::PdpDeact) return refused(module, call, "not in PDP DEACT");
  stack.asking = true;
  if (context.state == StackState::Initial) context.state = StackState::Start;
  stack.activate([&module, &context, name = std::string(*host)](bool active) {
    const Asker asker(context);
    if (!active) {
      nameFails(module, asker, kNetworkError);
      return;
    }
    module.stack().resolve(
        name, [&module, asker](const std::vector<Ipv4>& found) { nameFound(module, asker, found); });
  });
  return Reply::ok();
}

// AT+QIDNSCFG="a"[,"b"]
Reply servers(Module& module, const Call& call) {
  auto& dns = module.stack().foreground().dns;
  if (call.form == Form::Read) {
    module.terminal().info("PrimaryDns: " + text(dns[0]));
    module.terminal().info("SecondaryDns: " + text(dns[1]));
    return Reply::ok();
  }
  if (call.form != Form::Set || call.count() > dns.size()) return Reply::error();
  auto given = dns;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const auto address = parseIpv4(call.string(i).value_or(""));
    if (!address) return Reply::error();
    given[i] = *address;
  }
  dns = given;
  return Reply::ok();
}

// One AT+QPING under way: echo after echo, then the sum of them.
class Ping {
 public:
  Ping(Module& module, long timeout, long count) : module_(module), timeout_(timeout), count_(count) {}

  // In a context that is active.
  static void begin(std::shared_ptr<Ping> self, const Asker& asker, const std::string& host) {
    Stack& stack = self->module_.stack();
    self->asker_ = asker;
    if (const auto address = parseIpv4(host)) {
      self->address_ = *address;
      echo(std::move(self));
      return;
    }
    stack.resolve(host, [self = std::move(self)](std::vector<Ipv4> found) mutable {
      if (!self->asker_->active()) {
        self->end(kPingNoContext);
      } else if (found.empty()) {
        self->end("+QPING: 4");
      } else {
        self->address_ = found.front();
        echo(std::move(self));
      }
    });
  }

  void end(std::string_view line) {
    module_.stack().pinging = false;
    module_.terminal().urc(std::string(line));
  }

 private:
  static void echo(std::shared_ptr<Ping> self) {
    Ping& ping = *self;
    if (ping.sent_ == ping.count_) {
      ping.finish();
      return;
    }
    ++ping.sent_;
    ping.module_.stack().ping(ping.address_, std::chrono::seconds(ping.timeout_),
                              [self = std::move(self)](std::optional<async::Duration> time) mutable {
                                if (!self->asker_->active()) {
                                  self->end(kPingNoContext);
                                  return;
                                }
                                self->heard(time);
                                echo(std::move(self));
                              });
  }

  void heard(std::optional<async::Duration> time) {
    if (!time) {
      module_.terminal().urc("+QPING: 1");
      return;
    }
    const auto ms = static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(*time).count());
    ++answered_;
    sum_ += ms;
    shortest_ = answered_ == 1 ? ms : std::min(shortest_, ms);
    longest_ = std::max(longest_, ms);
    module_.terminal().urc(fmt::format("+QPING: 0,{},32,{},64", text(address_), ms));
  }

  void finish() {
    const long average = answered_ == 0 ? 0 : sum_ / answered_;
    end(fmt::format("+QPING: 2,{},{},{},{},{},{}", sent_, answered_, sent_ - answered_, shortest_, longest_,
                    average));
  }

  Module& module_;
  std::optional<Asker> asker_;
  long timeout_;
  long count_;
  Ipv4 address_;
  long sent_ = 0;
  long answered_ = 0;
  // Milliseconds.
  long sum_ = 0;
  long shortest_ = 0;
  long longest_ = 0;
};

// AT+QPING="host"[,<timeout in seconds>[,<count>]]
Reply ping(Module& module, const Call& call) {
  const auto host = call.string(0);
  const auto timeout = call.count() > 1 ? call.number(1, 1, 255) : std::optional<long>(1);
  const auto count = call.count() > 2 ? call.number(2, 1, 10) : std::optional<long>(4);
  if (call.form != Form::Set || call.count() > 3 || !host || host->size() > kLongestHost || !timeout ||
      !count) {
    return Reply::error();
  }
  Stack& stack = module.stack();
  if (stack.pinging) {
    module.terminal().urc("+QPING: 3");
    return Reply::ok();
  }
  stack.pinging = true;
  Context& context = stack.foreground();
  if (context.state == StackState::Initial) context.state = StackState::Start;
  auto made = std::make_shared<Ping>(module, *timeout, *count);
  if (context.state == StackState::PdpDeact) {
    made->end(kPingNoContext);
    return Reply::ok();
  }
  stack.activate([made = std::move(made), &context, name = std::string(*host)](bool active) mutable {
    if (active) {
      Ping::begin(std::move(made), Asker(context), name);
    } else {
      made->end(kPingNoContext);
    }
  });
  return Reply::ok();
}

}  // namespace

void addNameCommands(CommandTable& table) {
  table.add("+QIDNSGIP", resolve);
  table.add("+QIDNSCFG", servers);
  table.add("+QPING", ping);
}

}  // namespace qimux::sim
