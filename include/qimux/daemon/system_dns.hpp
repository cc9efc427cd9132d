// Who tells the machine's programs about our name server, and how: one decision over what was found.
//
// The daemon answers names at the gateway address of its interface, whoever asks. Whether the machine's
// programs ask it is a matter of /etc/resolv.conf, and of the program that writes it. Ours is only ever added
// to what is there, through that program's own tool; the file itself is never touched, and where nobody is in
// charge of it, nothing is done but a word in the log.
//
// Which names. The module is a slow and metered way out, and mostly the second one (metric 700).
// systemd-resolved asks all links that are a "default route" for names at the same time: as one of them we
// would be asked, and paid for, each time that a program on the Ethernet looks up a name, and a name that
// does not exist would wait for the module's word too. "~." would even take all names away from the others.
// So ours is a default route for names exactly while it is the best default route for packets, and no domain
// is ever claimed. resolvconf has an order instead: the better way out comes first, and ours is asked when
// that does not answer.
//
// Without I/O; system_dns_run.hpp has that.
#pragma once

#include "qimux/daemon/config.hpp"
#include "qimux/net/netlink.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::daemon {

// Whose work /etc/resolv.conf is.
enum class ResolvConf { Missing, Resolved, Resolvconf, NetworkManager, Nobody };
std::string_view name(ResolvConf whose);
// `target` is what the file is in the end, through all links; empty where it does not exist. `text` is its
// beginning.
ResolvConf whose(std::string_view target, std::string_view text);

// Which program answers to the name resolvconf.
enum class ResolvconfKind { None, Silent, Debian, Openresolv, Resolvectl };
std::string_view name(ResolvconfKind kind);
// `target`: the program, through all links; empty: none. `code` and `output`: what `resolvconf --version`
// did; no code: it did not end in its time, and is no more use than none.
ResolvconfKind resolvconfKind(std::string_view target, std::optional<int> code, std::string_view output);

// What was found.
struct DnsProbes {
  SystemDns wanted = SystemDns::Auto;  // the configuration's word
  bool own_namespace = false;          // this network is not that of the machine's first process
  bool interface = false;              // ours is there
  bool default_route = false;          // tun.routes has 0.0.0.0/0
  bool best = false;                   // and it is the best one of the machine
  ResolvConf resolv_conf = ResolvConf::Missing;
  bool resolvectl = false;  // the program is there
  bool resolved = false;    // and systemd-resolved answers it
  ResolvconfKind resolvconf = ResolvconfKind::None;
  std::vector<std::string> left;  // interfaces that are gone, and have a record of ours in resolvconf
};
// Of resolvconf's records, by their names, the interfaces of those of ours that `there` does not know: a
// daemon has crashed, or tun.name is another one now.
std::vector<std::string> leftBehind(const std::vector<std::string>& records,
                                    const std::function<bool(const std::string& interface)>& there);
// "asked for auto; interface there; ..."
std::string text(const DnsProbes& probes);

enum class DnsManner { Off, Resolved, DebianResolvconf, Openresolv };
std::string_view name(DnsManner manner);

struct DnsDecision {
  DnsManner manner = DnsManner::Off;
  bool default_route = false;  // Resolved only: asked for the names that no other link claims
  bool amiss = false;          // somebody should do something about it
  std::string why;             // a sentence's end; with Off it says what to do
};
DnsDecision decide(const DnsProbes& probes);

// True where a default route of ours comes before those of all other interfaces. Of two with the same metric
// the older one comes first, and ours is never known to be that.
bool isBest(const std::vector<net::Route>& default_routes, unsigned interface);

// One program to run.
struct DnsCommand {
  std::vector<std::string> words;
  std::string input{};
  friend bool operator==(const DnsCommand&, const DnsCommand&) = default;
};
// Doing it twice does no harm, and the second time may say something else than the first.
std::vector<DnsCommand> applyCommands(const DnsDecision& decision, const Config& config);
// Takes back whatever applyCommands() may have done at any time, also by a process that has crashed since,
// and by another configuration: what that says now of dns.system does not matter. What is not there to be
// taken back is no error.
std::vector<DnsCommand> revertCommands(const DnsProbes& probes, const Config& config);

}  // namespace qimux::daemon
