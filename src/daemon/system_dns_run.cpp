#include "qimux/daemon/system_dns_run.hpp"

#include "qimux/async/child.hpp"
#include "qimux/base/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace qimux::daemon {
namespace {

namespace fs = std::filesystem;

constexpr const char* kResolvConf = "/etc/resolv.conf";
// Where resolvconf keeps a file for each record: Debian's, openresolv's, and openresolv's from 3.14 on.
constexpr std::array kRecords = {"/run/resolvconf/interface", "/run/resolvconf/interfaces",
                                 "/run/resolvconf/keys"};

// What `path` is in the end; also where a link leads to nothing yet. Empty where there is not even a link.
std::string finalTarget(const fs::path& path) {
  std::error_code error;
  if (const auto found = fs::canonical(path, error); !error) return found.string();
  const auto link = fs::read_symlink(path, error);
  if (error) return {};
  return fs::weakly_canonical(path.parent_path() / link, error).string();
}

std::string beginningOf(const char* path) {
  std::ifstream file(path);
  std::string text(4096, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// Empty where no directory of PATH has it.
fs::path programNamed(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const fs::path candidate = fs::path(rest.substr(0, end)) / name;
    if (end > 0 && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

bool inOwnNamespace() {
  std::error_code first_error, own_error;
  const auto first = fs::read_symlink("/proc/1/ns/net", first_error);
  const auto own = fs::read_symlink("/proc/self/ns/net", own_error);
  return !first_error && !own_error && first != own;
}

std::vector<net::Route> defaultRoutes() {
  auto netlink = net::Netlink::open();
  if (!netlink) return {};
  return netlink->defaultRoutes().value_or(std::vector<net::Route>{});
}

std::vector<std::string> resolvconfRecords() {
  std::vector<std::string> names;
  for (const char* directory : kRecords) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
      names.push_back(entry->path().filename().string());
  }
  return names;
}

DnsProbes probesWithoutPrograms(const Config& config) {
  DnsProbes probes;
  probes.wanted = config.dns.system;
  probes.own_namespace = inOwnNamespace();
  probes.default_route = std::ranges::find(config.tun.routes, net::Cidr{}) != config.tun.routes.end();
  if (const auto netlink = net::Netlink::open()) {
    const auto index = netlink->indexOf(config.tun.name);
    probes.interface = index.has_value();
    probes.best = index && isBest(defaultRoutes(), *index);
    probes.left = leftBehind(resolvconfRecords(), [&netlink](const std::string& name) {
      return netlink->indexOf(name).has_value();
    });
  }
  probes.resolv_conf = whose(finalTarget(kResolvConf), beginningOf(kResolvConf));
  probes.resolvectl = !programNamed("resolvectl").empty();
  return probes;
}

std::string firstLine(std::string_view output) {
  return std::string(output.substr(0, std::min({output.find('\n'), output.size(), std::size_t{200}})));
}

async::Command tool(std::vector<std::string> words, std::string input = {}) {
  return {.words = std::move(words), .environment = {"LC_ALL=C"}, .input = std::move(input)};
}

async::Command questionFor(std::string program, std::string argument) {
  return tool({std::move(program), std::move(argument)});
}

// To take something back systemd-resolved is not asked first: one that hangs would take the time for the
// rest.
async::Task<DnsProbes> probe(async::UvLoop& loop, Config config, bool apply, async::Duration limit) {
  DnsProbes probes = probesWithoutPrograms(config);
  // Nothing would come of it, so nothing is run. What is to be taken back was done by a configuration that
  // said something else, perhaps.
  if (probes.own_namespace || (apply && probes.wanted == SystemDns::Off)) co_return probes;
  if (probes.resolvectl && apply) {
    // The tool itself, because it is what has to work.
    async::Command question = questionFor("resolvectl", "dns");
    const auto asked = co_await async::runChild(loop, std::move(question), limit);
    probes.resolved = asked && asked->good() && !asked->killed;
  }
  const auto target = finalTarget(programNamed("resolvconf"));
  probes.resolvconf = resolvconfKind(target, 0, "");
  if (probes.resolvconf == ResolvconfKind::Openresolv) {
    async::Command question = questionFor("resolvconf", "--version");
    const auto asked = co_await async::runChild(loop, std::move(question), limit);
    std::optional<int> code;
    if (asked && !asked->killed) code = asked->code;
    probes.resolvconf = asked ? resolvconfKind(target, code, asked->output) : ResolvconfKind::None;
  }
  co_return probes;
}

// False where the others are better left alone: this one hung.
async::Task<bool> carryOut(async::UvLoop& loop, DnsCommand command, log::Level complaint,
                           async::Duration limit) {
  const std::string line = fmt::to_string(fmt::join(command.words, " "));
  async::Command child = tool(std::move(command.words), std::move(command.input));
  const auto ended = co_await async::runChild(loop, std::move(child), limit);
  if (!ended) {
    log::write(complaint, "system dns: " + ended.error().text());
    co_return true;
  }
  if (!ended->good() || ended->killed)
    log::write(complaint, fmt::format("system dns: {}: {}: {}", line, how(*ended), firstLine(ended->output)));
  co_return !ended->killed;
}

void say(const DnsProbes& probes, const DnsDecision& decision) {
  log::write(decision.amiss ? log::Level::Warning : log::Level::Notice,
             fmt::format("system dns: {} => {}: {}", text(probes), name(decision.manner), decision.why));
}

async::Task<void> runAndStop(async::UvLoop& loop, Config config, bool apply, async::Duration tool_time) {
  co_await systemDns(loop, std::move(config), apply, tool_time);
  loop.stop();
}

}  // namespace

async::Task<void> systemDns(async::UvLoop& loop, Config config, bool apply, async::Duration tool_time) {
  const DnsProbes probes = co_await probe(loop, config, apply, tool_time);
  const DnsDecision decision = decide(probes);
  if (apply) say(probes, decision);
  auto commands = apply ? applyCommands(decision, config) : revertCommands(probes, config);
  // What is not there any more cannot be taken back, and need not be.
  const auto complaint = apply ? log::Level::Warning : log::Level::Info;
  for (DnsCommand& command : commands) {
    const bool on = co_await carryOut(loop, std::move(command), complaint, tool_time);
    if (!on) co_return;
  }
}

void runSystemDns(const Config& config, bool apply, async::Duration limit, async::Duration tool_time) {
  async::UvLoop loop;
  async::Timer late(loop);
  async::Scope scope(loop);
  scope.spawn(runAndStop(loop, config, apply, tool_time));
  late.start(limit, [&] {
    log::warning(fmt::format("system dns: the resolver's tools take too long together: {} is left half done",
                             apply ? "apply" : "revert"));
    scope.cancel();
    loop.stop();
  });
  loop.run();
}

SystemDnsAgent::SystemDnsAgent(async::UvLoop& loop, const Config& config, unsigned interface)
    : loop_(loop),
      config_(config),
      interface_(interface),
      root_(::geteuid() == 0),
      timer_(loop),
      limit_(loop),
      scope_(loop) {}

void SystemDnsAgent::start() {
  best_ = isBest(defaultRoutes(), interface_);
  if (root_) scope_.spawn(applyAll());
}

void SystemDnsAgent::routesChanged() {
  if (timer_.armed() || done_ || config_.dns.system == SystemDns::Off) return;
  timer_.startAt(std::max(loop_.now() + kSettle, last_ + kRest), [this] { look(); });
}

void SystemDnsAgent::look() {
  if (std::exchange(best_, isBest(defaultRoutes(), interface_)) == best_) return;
  last_ = loop_.now();
  if (root_) {
    if (busy_) again_ = true;
    if (!busy_) scope_.spawn(applyAll());
  } else if (std::getenv("INVOCATION_ID") != nullptr) {
    // What it says is for people: that it was written is what counts.
    told_ = true;
    std::ofstream(wayOutFile(config_.control.socket)) << (best_ ? "best\n" : "not the best\n");
  }
}

async::Task<void> SystemDnsAgent::applyAll() {
  busy_ = true;
  do {
    again_ = false;
    co_await systemDns(loop_, config_, true);
  } while (again_);
  busy_ = false;
}

void SystemDnsAgent::stop(async::Duration limit, std::move_only_function<void()> done) {
  if (done_) return;  // is at it
  timer_.stop();
  if (!root_) {
    if (told_) ::unlink(wayOutFile(config_.control.socket).c_str());
    return loop_.post(std::move(done));
  }
  done_ = std::move(done);
  limit_.start(limit, [this] { finish(); });
  scope_.cancel();
  scope_.spawn(revert());
}

async::Task<void> SystemDnsAgent::revert() {
  co_await systemDns(loop_, config_, false);
  loop_.post([this] { finish(); });
}

void SystemDnsAgent::finish() {
  limit_.stop();
  if (auto done = std::exchange(done_, nullptr)) done();
}

std::string wayOutFile(const std::string& control_socket) {
  return fs::path(control_socket).replace_extension(".way-out").string();
}

}  // namespace qimux::daemon
