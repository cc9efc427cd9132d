#include "qimux/ctl/doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace qimux::ctl {
namespace {

class Findings {
 public:
  void ok(std::string check, std::string text) {
    list_.push_back(Finding{std::move(check), Verdict::Ok, std::move(text), {}});
  }
  void warn(std::string check, std::string text, std::string advice) {
    list_.push_back(Finding{std::move(check), Verdict::Warn, std::move(text), std::move(advice)});
  }
  void fail(std::string check, std::string text, std::string advice) {
    list_.push_back(Finding{std::move(check), Verdict::Fail, std::move(text), std::move(advice)});
  }
  std::vector<Finding> take() { return std::move(list_); }

 private:
  std::vector<Finding> list_;
};

void onConfiguration(const Facts& facts, Findings& findings) {
  if (!facts.configuration_wrong.empty()) {
    findings.fail("config", facts.configuration_wrong, "mend it; qimuxd --check-config says what is wrong");
  } else if (facts.configuration_hidden) {
    findings.warn("config", "this user may not read the configuration",
                  "use sudo to have it, and what it says of the machine, looked at");
  } else if (!facts.configuration_read) {
    findings.warn("config", "there is no configuration: the defaults are used",
                  "copy the example to /etc/qimuxd/qimuxd.toml, and give it your operator's module.apn");
  } else {
    findings.ok("config", "qimuxd --check-config has no complaint");
  }
}

void onDevice(const Facts& facts, Findings& findings) {
  const std::string& device = facts.device;
  if (!facts.device_exists) {
    const std::string there =
        facts.ttys.empty()
            ? "no serial port is there: is the adapter plugged in, and its driver loaded (dmesg)?"
            : fmt::format(
                  "\"qimuxctl probe\" says whether a module answers at {}, and what "
                  "gives it this name",
                  fmt::join(facts.ttys, ", "));
    return findings.fail("device", device + " does not exist", there);
  }
  if (!facts.device_is_tty)
    return findings.fail("device", device + " is no tty", "set serial.device to that of the module");
  // The daemon's user is another one than this.
  if (!facts.device_usable && !facts.daemon_running) {
    return findings.warn("device", fmt::format("this user may not use {} ({})", device, facts.device_owner),
                         "the daemon's user has to be in the group of the device (dialout)");
  }
  findings.ok("device", fmt::format("{} is a tty ({})", device, facts.device_owner));
  if (!facts.device_holders.empty()) {
    findings.fail("holder", fmt::format("{} is also in use by {}", device, facts.device_holders),
                  "end it, or tell it to keep off this port");
  }
}

void onKernel(const Facts& facts, Findings& findings) {
  if (!facts.tun_node) {
    findings.fail("tun", "/dev/net/tun does not exist",
                  "modprobe tun; a container has to be given the device");
  } else if (!facts.tun_usable) {
    findings.fail("tun", "/dev/net/tun cannot be opened",
                  "modprobe tun; its mode is to be 0666, a container has to allow the device");
  } else {
    findings.ok("tun", "/dev/net/tun can be opened");
  }
}

// The daemon's private network is made in a user namespace. What this user can make says little of that: root
// always can, and in a container nobody. A daemon that answers has been able to.
void onNamespaces(const Facts& facts, Findings& findings) {
  const std::string& sysctl = facts.forbidding_sysctl;
  if (facts.daemon_running && facts.daemon_silent.empty()) {
    findings.ok("namespace", "the daemon has its private network" +
                                 (sysctl.empty() ? std::string() : fmt::format(", although {}", sysctl)));
  } else if (!sysctl.empty() || facts.user_namespaces == false) {
    findings.warn("namespace",
                  sysctl.empty() ? "user namespaces cannot be made"
                                 : fmt::format("the daemon's user cannot make user namespaces: {}", sysctl),
                  "the daemon's private network needs them, or CAP_SYS_ADMIN (which root has)");
  } else if (facts.user_namespaces == true) {
    findings.ok("namespace", "user namespaces can be made");
  }
}

void onDaemon(const Facts& facts, Findings& findings) {
  if (facts.control_refused) {
    return findings.warn("daemon", "qimuxd runs, but this user may not ask it",
                         "use sudo, or become a member of the group qimux (control.group)");
  }
  if (!facts.daemon_running) {
    return findings.fail("daemon", "qimuxd does not run",
                         "systemctl start qimuxd; journalctl -u qimuxd says why it has ended");
  }
  if (!facts.daemon_silent.empty()) {
    return findings.fail("daemon", "qimuxd runs, but does not answer: " + facts.daemon_silent,
                         "is this its control.socket? Else: systemctl restart qimuxd");
  }
  findings.ok("daemon", "qimuxd runs and answers");
  if (!facts.trouble.empty()) {
    findings.fail("link", fmt::format("the link is {}: {}", facts.link, facts.trouble),
                  "qimuxctl status; qimuxd-troubleshooting(7) goes by what it says");
  } else if (facts.link != "online") {
    findings.warn("link", fmt::format("the link is {} for {:.0f} s", facts.link, facts.link_s),
                  "give it a minute: qimuxctl wait-online");
  } else {
    findings.ok("link", "the link is online");
  }
}

void onRoutes(const Facts& facts, Findings& findings) {
  if (facts.daemon_running && !facts.interface_exists) {
    return findings.fail("interface", facts.interface + " does not exist in this network namespace",
                         "somebody has deleted it: systemctl restart qimuxd");
  }
  if (!facts.interface_exists) return;
  if (facts.rp_filter == 1) {
    findings.warn(
        "rp_filter", "rp_filter is strict: what comes in on another way than it would go out is dropped",
        fmt::format("sysctl net.ipv4.conf.{}.rp_filter=2 (and net.ipv4.conf.all.rp_filter below 2) where "
                    "several ways out are used at a time",
                    facts.interface));
  } else {
    findings.ok("rp_filter", "rp_filter lets replies in");
  }
  if (!facts.own_default) {
    findings.warn("route", "there is no default route through " + facts.interface,
                  "tun.routes says what is routed there; ip route shows what is");
  } else if (facts.other_default == true && !facts.own_default_first) {
    findings.ok("route",
                "another default route comes first; " + facts.interface + " is used when it is gone");
  } else {
    findings.ok("route", "the default route goes through " + facts.interface);
  }
  if (!facts.forwarding) {
    findings.ok("forward", "net.ipv4.ip_forward is 0: this machine's own programs only (1 serves a LAN)");
  } else {
    findings.ok("forward", "net.ipv4.ip_forward is 1: machines behind this one are served");
  }
}

void onFirewall(const Facts& facts, Findings& findings) {
  if (!facts.firewall) {
    findings.warn("firewall", "the rules cannot be seen",
                  facts.root ? "install nftables to have them looked at" : "run this as root");
    return;
  }
  if (facts.firewall->empty()) return findings.ok("firewall", "no rules");
  if (facts.dropping_hooks.empty())
    return findings.ok("firewall", *facts.firewall + " has rules; none drops by default");
  findings.warn(
      "firewall",
      fmt::format("{} drops by default in {}", *facts.firewall, fmt::join(facts.dropping_hooks, ", ")),
      fmt::format("programs need output to {0}, a LAN forwarding to and from {0}", facts.interface));
}

void onNames(const Facts& facts, Findings& findings) {
  if (facts.resolved)
    return findings.ok("names", "systemd-resolved answers: resolvectl status shows by whom");
  if (facts.name_servers.empty()) {
    findings.warn("names", "/etc/resolv.conf names no server",
                  fmt::format("\"nameserver {}\" is the daemon's own", facts.gateway));
  } else {
    findings.ok("names", fmt::format("asked of {}", fmt::join(facts.name_servers, ", ")));
  }
}

void onOthers(const Facts& facts, Findings& findings) {
  if (facts.modem_manager && facts.modem_manager_ignores == false) {
    findings.fail("modemmanager", "ModemManager runs, and is not told to keep off " + facts.device,
                  "the package's udev rule does, once 60-qimuxd-local.rules names the port: qimuxctl probe");
  } else if (facts.modem_manager && !facts.modem_manager_ignores) {
    findings.warn("modemmanager", "ModemManager runs; whether it keeps off " + facts.device + " is not known",
                  "udevadm info " + facts.device + " should show ID_MM_DEVICE_IGNORE=1");
  } else {
    findings.ok("modemmanager", facts.modem_manager ? "it is told to keep off" : "it does not run");
  }
  const auto manager = [&](std::string_view check, bool runs, std::optional<bool> leaves,
                           std::string_view file) {
    if (!runs) return;
    if (leaves == false) {
      findings.fail(std::string(check), fmt::format("it manages {}", facts.interface),
                    fmt::format("put {} back", file));
    } else {
      findings.ok(std::string(check),
                  leaves ? fmt::format("it leaves {} alone", facts.interface)
                         : std::string("it runs; what it does to the interface is not known"));
    }
  };
  manager("networkmanager", facts.network_manager, facts.network_manager_leaves,
          "/usr/lib/NetworkManager/conf.d/ of the package (unmanaged-devices)");
  manager("networkd", facts.networkd, facts.networkd_leaves,
          "/usr/lib/systemd/network/ of the package (Unmanaged=yes)");
}

constexpr std::size_t kVerdictWidth = 6;
constexpr std::size_t kCheckWidth = 16;

// `text` in lines of at most `width`, each but the first behind `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  constexpr std::size_t kLeast = 20;
  const std::size_t room = width == 0 ? std::string::npos : std::max(kLeast, width - std::min(width, indent));
  std::string out;
  while (text.size() > room) {
    std::size_t end = text.rfind(' ', room);
    if (end == std::string_view::npos || end == 0) end = room;
    out += fmt::format("{}\n{:{}}", text.substr(0, end), "", indent);
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  }
  return out.append(text);
}

std::string_view colourOf(Verdict verdict) {
  if (verdict == Verdict::Ok) return "\x1b[32m";
  return verdict == Verdict::Warn ? "\x1b[33m" : "\x1b[1;31m";
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Ok:
      return "ok";
    case Verdict::Warn:
      return "warn";
    case Verdict::Fail:
      return "fail";
  }
  return "unknown";
}

std::string forbiddingSysctl(const std::function<std::string(std::string_view)>& value) {
  struct Setting {
    std::string_view name;
    std::string_view forbids;
  };
  // That of Debian's kernel before bookworm's, that of Ubuntu since 23.10, and everybody's.
  constexpr auto kSettings = std::to_array<Setting>({{"kernel.unprivileged_userns_clone", "0"},
                                                     {"kernel.apparmor_restrict_unprivileged_userns", "1"},
                                                     {"user.max_user_namespaces", "0"}});
  for (const Setting& one : kSettings) {
    if (value(one.name) == one.forbids) return fmt::format("{} is {}", one.name, one.forbids);
  }
  return {};
}

std::vector<Finding> diagnose(const Facts& facts) {
  Findings findings;
  onConfiguration(facts, findings);
  onDevice(facts, findings);
  onOthers(facts, findings);
  onKernel(facts, findings);
  onNamespaces(facts, findings);
  onDaemon(facts, findings);
  onRoutes(facts, findings);
  onFirewall(facts, findings);
  onNames(facts, findings);
  return findings.take();
}

bool isFine(const std::vector<Finding>& findings) {
  return std::ranges::none_of(findings, [](const Finding& one) { return one.verdict == Verdict::Fail; });
}

std::string renderFindings(const std::vector<Finding>& findings, std::size_t width, bool colour) {
  std::string out;
  constexpr std::size_t kIndent = kVerdictWidth + kCheckWidth;
  for (const Finding& finding : findings) {
    const std::string word = fmt::format("{:<{}}", name(finding.verdict), kVerdictWidth);
    out += colour ? fmt::format("{}{}\x1b[0m", colourOf(finding.verdict), word) : word;
    out += fmt::format("{:<{}}{}\n", finding.check, kCheckWidth, wrapped(finding.text, kIndent, width));
    if (!finding.advice.empty())
      out += fmt::format("{:{}}-> {}\n", "", kIndent, wrapped(finding.advice, kIndent + 3, width));
  }
  return out;
}

Json findingsJson(const std::vector<Finding>& findings) {
  Json json;
  json["fine"] = isFine(findings);
  json["findings"] = Json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"check", finding.check},
                                {"verdict", name(finding.verdict)},
                                {"text", finding.text},
                                {"advice", finding.advice}});
  }
  return json;
}

}  // namespace qimux::ctl
