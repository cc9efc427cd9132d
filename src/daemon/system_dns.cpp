#include "qimux/daemon/system_dns.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::daemon {
namespace {

// The name under which resolvconf keeps what we say: INTERFACE.PROGRAM is Debian's rule, and good for all.
constexpr std::string_view kOurs = ".qimuxd";
std::string recordName(const std::string& interface) {
  return interface + std::string(kOurs);
}

std::string_view nextLine(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

bool isUnder(std::string_view path, std::string_view directory) {
  return path.starts_with(directory);
}

DnsDecision off(std::string why, bool amiss = true) {
  return {.manner = DnsManner::Off, .default_route = false, .amiss = amiss, .why = std::move(why)};
}

DnsDecision byResolved(const DnsProbes& probes, std::string_view remark = {}) {
  DnsDecision decision{
      .manner = DnsManner::Resolved, .default_route = probes.best, .amiss = false, .why = {}};
  decision.why = probes.best            ? "for all names, because this is the machine's best way out"
                 : probes.default_route ? "but names stay with the better way out while there is one"
                                        : "but only for who asks this interface: tun.routes has no 0.0.0.0/0";
  decision.why += remark;
  return decision;
}

DnsDecision byResolvconf(const DnsProbes& probes) {
  if (!probes.default_route)
    return off("tun.routes has no 0.0.0.0/0, and resolvconf knows no names for a part of the world", false);
  const auto manner =
      probes.resolvconf == ResolvconfKind::Debian ? DnsManner::DebianResolvconf : DnsManner::Openresolv;
  return {.manner = manner,
          .default_route = false,
          .amiss = false,
          .why = "behind the name servers of better ways out"};
}

bool isRealResolvconf(ResolvconfKind kind) {
  return kind == ResolvconfKind::Debian || kind == ResolvconfKind::Openresolv;
}

// Why systemd-resolved cannot be told; empty: it can.
std::string_view resolvedProblem(const DnsProbes& probes) {
  if (!probes.resolvectl) return "resolvectl is not installed; it comes with systemd-resolved";
  if (!probes.resolved) return "systemd-resolved does not answer; start it";
  return {};
}

DnsDecision decideAuto(const DnsProbes& probes) {
  switch (probes.resolv_conf) {
    case ResolvConf::Resolved:
      if (const auto problem = resolvedProblem(probes); !problem.empty())
        return off(fmt::format("/etc/resolv.conf is systemd-resolved's, but {}", problem));
      return byResolved(probes);
    case ResolvConf::Resolvconf:
      if (isRealResolvconf(probes.resolvconf)) return byResolvconf(probes);
      if (probes.resolvconf == ResolvconfKind::Silent)
        return off("/etc/resolv.conf is resolvconf's, but resolvconf does not answer");
      return off(
          "/etc/resolv.conf was written by resolvconf, which is not installed now; install it, or remove the "
          "file");
    case ResolvConf::NetworkManager:
      return off(
          "NetworkManager writes /etc/resolv.conf, and takes no name server for an interface that it does "
          "not manage; install systemd-resolved or resolvconf, which it works with");
    case ResolvConf::Missing:
    case ResolvConf::Nobody:
      break;
  }
  if (probes.resolved)
    return off(
        "systemd-resolved runs, but /etc/resolv.conf does not point at it; make it a link to "
        "/run/systemd/resolve/stub-resolv.conf, or name a server in it by hand");
  if (isRealResolvconf(probes.resolvconf))
    return off(
        "resolvconf is installed, but /etc/resolv.conf is not its work; name a server in it by hand, or "
        "set dns.system = \"resolvconf\"");
  return off(
      "nobody is in charge of /etc/resolv.conf; where the module is the only way out, name its server "
      "there by hand");
}

}  // namespace

std::string_view name(ResolvConf whose) {
  switch (whose) {
    case ResolvConf::Missing:
      return "missing";
    case ResolvConf::Resolved:
      return "systemd-resolved's";
    case ResolvConf::Resolvconf:
      return "resolvconf's";
    case ResolvConf::NetworkManager:
      return "NetworkManager's";
    case ResolvConf::Nobody:
      return "nobody's";
  }
  return "unknown";
}

std::string_view name(ResolvconfKind kind) {
  switch (kind) {
    case ResolvconfKind::None:
      return "not installed";
    case ResolvconfKind::Silent:
      return "does not answer";
    case ResolvconfKind::Debian:
      return "Debian's";
    case ResolvconfKind::Openresolv:
      return "openresolv";
    case ResolvconfKind::Resolvectl:
      return "resolvectl by another name";
  }
  return "unknown";
}

std::string_view name(DnsManner manner) {
  switch (manner) {
    case DnsManner::Off:
      return "off";
    case DnsManner::Resolved:
      return "systemd-resolved";
    case DnsManner::DebianResolvconf:
    case DnsManner::Openresolv:
      return "resolvconf";
  }
  return "unknown";
}

ResolvConf whose(std::string_view target, std::string_view text) {
  if (target.empty()) return ResolvConf::Missing;
  if (isUnder(target, "/run/systemd/resolve/") || isUnder(target, "/usr/lib/systemd/") ||
      isUnder(target, "/lib/systemd/"))
    return ResolvConf::Resolved;
  if (isUnder(target, "/run/resolvconf/") || isUnder(target, "/etc/resolvconf/"))
    return ResolvConf::Resolvconf;
  if (isUnder(target, "/run/NetworkManager/")) return ResolvConf::NetworkManager;
  // A plain file. What servers it names says more than who says that he wrote it: comments survive a copy.
  bool any = false, only_stub = true;
  ResolvConf writer = ResolvConf::Nobody;
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = nextLine(rest);
    if (line.starts_with("nameserver")) {
      any = true;
      const auto address = line.substr(std::min(line.find_first_not_of(" \t", 10), line.size()));
      only_stub &= address.starts_with("127.0.0.53") || address.starts_with("127.0.0.54");
    }
    if (!line.starts_with('#') || writer != ResolvConf::Nobody) continue;
    if (contains(line, "enerated by NetworkManager")) writer = ResolvConf::NetworkManager;
    if (contains(line, "enerated by resolvconf")) writer = ResolvConf::Resolvconf;
  }
  return any && only_stub ? ResolvConf::Resolved : writer;
}

ResolvconfKind resolvconfKind(std::string_view target, std::optional<int> code, std::string_view output) {
  if (target.empty()) return ResolvconfKind::None;
  if (target.ends_with("/resolvectl")) return ResolvconfKind::Resolvectl;
  if (!code) return ResolvconfKind::Silent;
  // Debian's knows no --version, and says so with this code of its own.
  constexpr int kDebianUsage = 99;
  return code == kDebianUsage || contains(output, "Debian resolvconf") ? ResolvconfKind::Debian
                                                                       : ResolvconfKind::Openresolv;
}

std::vector<std::string> leftBehind(const std::vector<std::string>& records,
                                    const std::function<bool(const std::string&)>& there) {
  std::vector<std::string> interfaces;
  for (std::string name : records) {
    // Programs that are told the name would take it for an option.
    if (!name.ends_with(kOurs) || name.size() == kOurs.size() || name.starts_with('-')) continue;
    name.resize(name.size() - kOurs.size());
    if (!there(name)) interfaces.push_back(std::move(name));
  }
  return interfaces;
}

std::string text(const DnsProbes& probes) {
  const auto route = probes.best ? "the best" : probes.default_route ? "not the best" : "none";
  const auto resolved = !probes.resolvectl ? "no resolvectl"
                        : probes.resolved  ? "answers"
                                           : "does not answer";
  return fmt::format(
      "asked for {}; network {}; interface {}; default route {}; /etc/resolv.conf {}; systemd-resolved {}; "
      "resolvconf {}",
      name(probes.wanted), probes.own_namespace ? "a namespace of its own" : "the machine's",
      probes.interface ? "there" : "missing", route, name(probes.resolv_conf), resolved,
      name(probes.resolvconf));
}

DnsDecision decide(const DnsProbes& probes) {
  if (probes.wanted == SystemDns::Off) return off("dns.system is \"off\"", false);
  // systemd-resolved would take our interface's number for one of the machine's.
  if (probes.own_namespace) return off("this network namespace is not the machine's", false);
  if (!probes.interface) return off("the interface is not there; start the daemon first");
  if (probes.wanted == SystemDns::Auto) return decideAuto(probes);
  if (probes.wanted == SystemDns::Resolvconf && isRealResolvconf(probes.resolvconf))
    return byResolvconf(probes);
  if (probes.wanted == SystemDns::Resolvconf && probes.resolvconf == ResolvconfKind::None)
    return off("resolvconf is not installed");
  if (probes.wanted == SystemDns::Resolvconf && probes.resolvconf == ResolvconfKind::Silent)
    return off("resolvconf does not answer");
  if (const auto problem = resolvedProblem(probes); !problem.empty()) return off(std::string(problem));
  return byResolved(probes, probes.resolv_conf == ResolvConf::Resolved
                                ? ""
                                : "; but /etc/resolv.conf does not point at it, so few programs will ask it");
}

bool isBest(const std::vector<net::Route>& default_routes, unsigned interface) {
  std::optional<std::uint32_t> ours, others;
  for (const net::Route& each : default_routes) {
    auto& lowest = each.interface == interface ? ours : others;
    lowest = std::min(lowest.value_or(each.metric), each.metric);
  }
  return ours && (!others || *ours < *others);
}

std::vector<DnsCommand> applyCommands(const DnsDecision& decision, const Config& config) {
  const std::string& interface = config.tun.name;
  const std::string server = net::text(config.tun.gateway());
  const std::string record = "nameserver " + server + "\n";
  switch (decision.manner) {
    case DnsManner::Off:
      return {};
    case DnsManner::DebianResolvconf:
      // Its order of interfaces is /etc/resolvconf/interface-order, where a name that it does not know is
      // last.
      return {{{"resolvconf", "-a", recordName(interface)}, record}};
    case DnsManner::Openresolv:
      return {{{"resolvconf", "-m", fmt::to_string(config.tun.metric), "-a", recordName(interface)}, record}};
    case DnsManner::Resolved:
      break;
  }
  // First the default route: between it and the server no name of the others may come our way.
  std::vector<DnsCommand> commands{
      {{"resolvectl", "default-route", interface, decision.default_route ? "yes" : "no"}},
      {{"resolvectl", "dns", interface, server}},
      {{"resolvectl", "domain", interface, ""}},
  };
  // There is nobody on this link to be found by shouting, and the module's answers are neither signed nor
  // encrypted: whoever wants that of all links would get no answer at all from this one.
  for (const char* what : {"llmnr", "mdns", "dnssec", "dnsovertls"})
    commands.push_back({{"resolvectl", what, interface, "no"}});
  return commands;
}

std::vector<DnsCommand> revertCommands(const DnsProbes& probes, const Config& config) {
  if (probes.own_namespace) return {};
  std::vector<DnsCommand> commands;
  std::vector<std::string> interfaces = probes.left;
  if (std::ranges::find(interfaces, config.tun.name) == interfaces.end())
    interfaces.push_back(config.tun.name);
  for (const std::string& each : interfaces) {
    if (probes.resolvconf == ResolvconfKind::Debian)
      commands.push_back({{"resolvconf", "-d", recordName(each)}});
    if (probes.resolvconf == ResolvconfKind::Openresolv)
      commands.push_back({{"resolvconf", "-f", "-d", recordName(each)}});
  }
  // With the interface all that systemd-resolved knew of it is gone.
  const bool by_resolved = probes.wanted == SystemDns::Resolved || probes.resolv_conf == ResolvConf::Resolved;
  if (probes.interface && probes.resolvectl && by_resolved)
    commands.push_back({{"resolvectl", "revert", config.tun.name}});
  return commands;
}

}  // namespace qimux::daemon
