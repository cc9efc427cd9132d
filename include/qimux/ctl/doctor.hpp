// What may keep the link from working, or its traffic from flowing, and what to do about it.
//
// Facts are gathered from the machine (gatherFacts), findings are made of them by a pure function: so every
// finding has a test, and none of them guesses. Of a firewall only its presence and its policies are looked
// at.
#pragma once

#include "qimux/ctl/value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::ctl {

enum class Verdict { Ok, Warn, Fail };
std::string_view name(Verdict verdict);  // "ok", "warn", "fail"

struct Finding {
  std::string check;  // "device", "tun", …: stable
  Verdict verdict = Verdict::Ok;
  std::string text;    // what was found
  std::string advice;  // what to do; empty where it is well
};

// Nothing in an optional: it could not be found out, for want of rights or of the tool that says it.
struct Facts {
  bool root = false;

  // The daemon.
  bool configuration_read = false;    // false: there is none, and the defaults are assumed
  bool configuration_hidden = false;  // there is one, or may be, but this user may not read it
  std::string configuration_wrong;    // the first complaint of qimuxd --check-config
  bool daemon_running = false;
  std::string daemon_silent;     // why it does not answer, where it does not
  bool control_refused = false;  // this user may not use the control socket
  std::string link;              // its state
  double link_s = 0;             // since when
  std::string trouble;           // what the daemon says that a person may have to mend

  // The device.
  std::string device = "/dev/gsm0";
  bool device_exists = false;
  bool device_is_tty = false;
  bool device_usable = false;     // by this user
  std::string device_owner;       // "root:dialout 0660"
  std::string device_holders;     // as text(holders()), without the daemon
  std::vector<std::string> ttys;  // serial ports that are there: "/dev/ttyUSB0"

  // The kernel.
  bool tun_node = false;                // /dev/net/tun
  bool tun_usable = false;              // and it may be opened by this user
  std::optional<bool> user_namespaces;  // this user can make them
  std::string forbidding_sysctl;        // which setting forbids them to all but root, who looks

  // The network.
  std::string interface = "gsm0";
  bool interface_exists = false;
  int rp_filter = 0;  // the stricter one of all and the interface
  bool forwarding = false;
  std::optional<bool> other_default;  // a default route that does not go through the interface
  bool own_default = false;
  bool own_default_first = false;           // its metric is the lowest
  std::optional<std::string> firewall;      // "nftables", "iptables"; empty: no rules
  std::vector<std::string> dropping_hooks;  // base chains with policy drop: "inet filter output"
  std::vector<std::string> name_servers;    // of /etc/resolv.conf
  bool resolved = false;                    // resolv.conf is systemd-resolved's
  std::string gateway = "10.64.64.2";       // the daemon's own name server

  // Other masters.
  bool modem_manager = false;
  std::optional<bool> modem_manager_ignores;  // udev says ID_MM_DEVICE_IGNORE of the device
  bool network_manager = false;
  std::optional<bool> network_manager_leaves;  // it lists the interface as unmanaged
  bool networkd = false;
  std::optional<bool> networkd_leaves;
};

// Which setting forbids user namespaces to those who are not root, as "user.max_user_namespaces is 0"; empty:
// none. `value` gives the value of a setting by its name, empty where the kernel has none of that name.
std::string forbiddingSysctl(const std::function<std::string(std::string_view)>& value);

// One or more of each check, in the order in which they are to be mended.
std::vector<Finding> diagnose(const Facts& facts);

// Nothing worse than a warning.
bool isFine(const std::vector<Finding>& findings);

// "ok    device      /dev/gsm0 is a tty" and, below what is not well, what to do. Colour is for terminals.
std::string renderFindings(const std::vector<Finding>& findings, std::size_t width, bool colour);
// {"fine": …, "findings": [{check, verdict, text, advice}]}
Json findingsJson(const std::vector<Finding>& findings);

struct DoctorTask {
  std::string socket;
  std::string config;
  std::string interface;
};
// Asks the daemon, reads /proc, /sys and /dev, and runs what says more (nft, iptables, ip, nmcli, networkctl,
// udevadm, qimuxd --check-config), where it is there, for a few seconds at most.
Facts gatherFacts(const DoctorTask& task);

}  // namespace qimux::ctl
