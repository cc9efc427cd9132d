#include "qimux/daemon/hooks.hpp"

#include "qimux/base/log.hpp"
#include "qimux/module/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::daemon {
namespace {

constexpr std::size_t kMaxOperator = 32;

bool isHarmless(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view(" .+-_").find(c) != std::string_view::npos;
}

// A script may forget its quotes, or put it behind a command: no letter that means something to a shell, and
// none in front that makes it an option.
std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxOperator)) {
    const char kept = isHarmless(c) ? c : '_';
    if (out.empty() && (kept == ' ' || kept == '-')) continue;
    out.push_back(kept);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string_view nameOf(bool up) {
  return up ? "on_up" : "on_down";
}

void tellOutput(std::string_view hook, std::string_view output) {
  for (std::size_t lines = 0; !output.empty(); ++lines) {
    if (lines == Hooks::kMaxLines) return log::info(fmt::format("hook {}: ... and more", hook));
    const auto end = std::min(output.find('\n'), output.size());
    log::info(fmt::format("hook {}: {}", hook, output.substr(0, std::min(end, Hooks::kMaxLine))));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
}

void tell(std::string_view hook, const std::string& program, const Result<async::Ended>& ended) {
  if (!ended) return log::warning(fmt::format("hook {}: {}", hook, ended.error().text()));
  tellOutput(hook, ended->output);
  if (ended->killed || !ended->good())
    log::warning(fmt::format("hook {}: {}: {}", hook, program, how(*ended)));
}

}  // namespace

LinkFacts factsOf(const Config& config, const module::Module* module) {
  LinkFacts facts{
      config.tun.name, net::text(config.tun.address.address), net::text(config.tun.gateway()), {}, {}};
  if (module == nullptr) return facts;
  if (module->address() != 0) facts.link_address = net::text(module->address());
  facts.operator_name = module->radio().network;
  return facts;
}

std::vector<std::string> hookEnvironment(bool up, const LinkFacts& facts) {
  return {
      std::string("QIMUX_EVENT=") + (up ? "up" : "down"),
      "QIMUX_INTERFACE=" + facts.interface,
      "QIMUX_ADDRESS=" + facts.address,
      "QIMUX_DNS=" + facts.dns,
      "QIMUX_LINK_ADDRESS=" + facts.link_address,
      "QIMUX_OPERATOR=" + harmless(facts.operator_name),
  };
}

void Hooks::link(bool online, const LinkFacts& facts) {
  if (online) facts_ = facts;
  if (!online && !waiting_.empty() && waiting_.back().up) waiting_.pop_back();
  if (online == toldUp()) return;
  push({online, facts_});
}

void Hooks::push(Event event) {
  waiting_.push_back(std::move(event));
  if (std::exchange(working_, true)) return;
  scope_.spawn(work());
}

async::Task<void> Hooks::work() {
  while (!waiting_.empty()) {
    Event event = std::move(waiting_.front());
    waiting_.pop_front();
    up_ = event.up;
    co_await run(std::move(event));
  }
  working_ = false;
  if (done_) loop_.post([this] { finished(); });
}

async::Task<void> Hooks::run(Event event) {
  async::Command command;
  command.words = event.up ? commands_.on_up : commands_.on_down;
  if (command.words.empty()) co_return;
  command.environment = hookEnvironment(event.up, event.facts);
  const std::string program = command.words.front();
  const auto ended = co_await runner_(std::move(command), kTime);
  tell(nameOf(event.up), program, ended);
}

void Hooks::finish(async::Duration limit, std::move_only_function<void()> done) {
  if (!working_) return loop_.post(std::move(done));
  done_ = std::move(done);
  limit_.start(limit, [this] {
    log::warning(fmt::format("hook {}: killed, because the daemon ends", nameOf(up_)));
    scope_.cancel();
    finished();
  });
}

void Hooks::finished() {
  limit_.stop();
  if (auto done = std::exchange(done_, nullptr)) done();
}

}  // namespace qimux::daemon
