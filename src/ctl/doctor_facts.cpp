// What doctor looks at.
#include "qimux/base/bytes.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/base/file.hpp"
#include "qimux/ctl/connection.hpp"
#include "qimux/ctl/doctor.hpp"
#include "qimux/ctl/machine.hpp"
#include "qimux/ctl/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <nlohmann/json.hpp>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <sstream>

namespace qimux::ctl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> wordsOf(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

int numberIn(const std::string& path) {
  const std::string text = firstLine(path).value_or("0");
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// device = "/dev/gsm0" of [serial], name = "gsm0" of [tun], as qimuxd prints them.
void readConfiguration(const std::string& printed, Facts& facts) {
  std::string section;
  for (const std::string& line : linesOf(printed)) {
    if (line.starts_with('[')) section = line;
    const std::size_t equals = line.find(" = \"");
    if (equals == std::string::npos || !line.ends_with('"')) continue;
    const std::string value = line.substr(equals + 4, line.size() - equals - 5);
    if (section == "[serial]" && line.starts_with("device ")) facts.device = value;
    if (section == "[tun]" && line.starts_with("name ")) facts.interface = value;
  }
}

void lookAtConfiguration(const std::string& path, Facts& facts) {
  facts.configuration_read = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)).valid();
  // The package's is for root and the daemon: it may hold a PIN.
  facts.configuration_hidden = !facts.configuration_read && errno == EACCES;
  if (!facts.configuration_read) return;
  const auto ran = runProgram({daemonProgram(), "--check-config", "--config", path});
  if (!ran) return;
  if (ran->code == 0) return readConfiguration(ran->output, facts);
  const auto lines = linesOf(ran->output);
  facts.configuration_wrong = lines.empty() ? "qimuxd --check-config fails" : printable(lines.front());
}

void lookAtDaemon(const std::string& socket, Facts& facts) {
  const auto answer = ask(socket, makeRequest("status"), kDaemonWait);
  facts.daemon_running = answer || !processes("qimuxd").empty();
  if (!answer) {
    facts.control_refused = answer.error().kind == ErrorKind::Refused;
    facts.daemon_silent = answer.error().what + ": " + answer.error().reply;
    return;
  }
  if (!answer->ok) {
    facts.daemon_silent = answer->message;
    return;
  }
  const Json& status = *answer->result;
  const auto text = [&status](std::string_view path, std::string& into) {
    const Json* value = find(status, path);
    if (value != nullptr && value->is_string()) into = printable(value->get<std::string>());
  };
  text("link", facts.link);
  text("trouble.message", facts.trouble);
  text("device", facts.device);
  text("interface.name", facts.interface);
  text("interface.gateway", facts.gateway);
  facts.link_s = number(find(status, "since_s"), 0);
}

std::string ownerOf(const struct stat& state) {
  const passwd* user = ::getpwuid(state.st_uid);
  const group* owners = ::getgrgid(state.st_gid);
  constexpr mode_t kRights = 07777;
  return fmt::format("{}:{} {:04o}", user != nullptr ? user->pw_name : std::to_string(state.st_uid),
                     owners != nullptr ? owners->gr_name : std::to_string(state.st_gid),
                     state.st_mode & kRights);
}

// Those with something behind them: of the PC's four places for a UART mostly none is used.
std::vector<std::string> serialPorts() {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry("/sys/class/tty", error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& place = entry->path();
    if (!fs::exists(place / "device", error) || firstLine(place / "type") == "0") continue;
    found.push_back("/dev/" + place.filename().string());
  }
  std::ranges::sort(found);
  return found;
}

void lookAtDevice(Facts& facts) {
  facts.ttys = serialPorts();
  struct stat state{};
  facts.device_exists = ::stat(facts.device.c_str(), &state) == 0;
  if (!facts.device_exists) return;
  facts.device_owner = ownerOf(state);
  facts.device_usable = ::access(facts.device.c_str(), R_OK | W_OK) == 0;
  facts.device_is_tty = isTty(facts.device);
  auto others = holders(facts.device);
  std::erase_if(others, [](const Holder& one) { return one.name == "qimuxd"; });
  facts.device_holders = text(others);
}

void lookAtKernel(Facts& facts) {
  facts.tun_node = ::access("/dev/net/tun", F_OK) == 0;
  facts.tun_usable = Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)).valid();
  if (const auto tried = runProgram({"unshare", "--user", "--net", "true"}))
    facts.user_namespaces = tried->code == 0;
  facts.forbidding_sysctl = forbiddingSysctl([](std::string_view name) {
    std::string path(name);
    std::ranges::replace(path, '.', '/');
    return firstLine("/proc/sys/" + path).value_or("");
  });
}

// The kernel's table: Iface Destination Gateway Flags RefCnt Use Metric Mask …
void lookAtRoutes(Facts& facts) {
  long own = -1;
  long other = -1;
  const auto table = readFile("/proc/net/route", 1 << 20).value_or("");
  for (const std::string& line : linesOf(table)) {
    const auto words = wordsOf(line);
    constexpr std::size_t kColumns = 8;
    if (words.size() < kColumns || words[1] != "00000000" || words[7] != "00000000") continue;
    long metric = 0;
    std::from_chars(words[6].data(), words[6].data() + words[6].size(), metric);
    long& best = words[0] == facts.interface ? own : other;
    best = best < 0 ? metric : std::min(best, metric);
  }
  facts.own_default = own >= 0;
  facts.other_default = other >= 0;
  facts.own_default_first = own >= 0 && (other < 0 || own < other);
}

// Every object of `nft -j list ruleset` has one key: what it is.
void readRuleset(const std::string& text, Facts& facts) {
  const Json json = Json::parse(text, nullptr, false);
  const Json* list = find(json, "nftables");
  if (list == nullptr || !list->is_array()) return;
  bool rules = false;
  for (const Json& item : *list) {
    rules = rules || find(item, "rule") != nullptr;
    const Json* chain = find(item, "chain");
    if (chain == nullptr || find(*chain, "policy") == nullptr || *find(*chain, "policy") != "drop") continue;
    const std::string hook = render(find(*chain, "hook"), Format::Text);
    if (hook == "output" || hook == "forward") {
      facts.dropping_hooks.push_back(fmt::format("{} {} {}", render(find(*chain, "family"), Format::Text),
                                                 render(find(*chain, "table"), Format::Text), hook));
    }
  }
  facts.firewall = rules || !facts.dropping_hooks.empty() ? "nftables" : "";
}

void readIptables(const std::string& text, Facts& facts) {
  bool rules = false;
  for (const std::string& line : linesOf(text)) {
    rules = rules || line.starts_with("-A");
    if (line == "-P OUTPUT DROP" || line == "-P FORWARD DROP") facts.dropping_hooks.push_back(line.substr(3));
  }
  const std::string before = facts.firewall.value_or("");
  facts.firewall = before.empty() && (rules || !facts.dropping_hooks.empty()) ? "iptables" : before;
}

void lookAtFirewall(Facts& facts) {
  constexpr std::size_t kMostTables = 4096;
  if (const auto ran = runProgram({"nft", "-j", "list", "ruleset"}); ran && ran->code == 0)
    readRuleset(ran->output, facts);
  // The kernel loads the table that is asked for, and hooks it in: only one that is in use is asked for.
  const auto tables = linesOf(readFile("/proc/net/ip_tables_names", kMostTables).value_or(""));
  if (std::ranges::find(tables, "filter") == tables.end()) return;
  if (const auto ran = runProgram({"iptables-legacy", "-S"}); ran && ran->code == 0)
    readIptables(ran->output, facts);
}

void lookAtNetwork(Facts& facts) {
  std::error_code error;
  facts.interface_exists = fs::exists("/sys/class/net/" + facts.interface, error) ||
                           fs::exists("/proc/sys/net/ipv4/conf/" + facts.interface, error);
  const std::string conf = "/proc/sys/net/ipv4/conf/";
  facts.rp_filter =
      std::max(numberIn(conf + "all/rp_filter"), numberIn(conf + facts.interface + "/rp_filter"));
  facts.forwarding = numberIn("/proc/sys/net/ipv4/ip_forward") != 0;
  lookAtRoutes(facts);
  lookAtFirewall(facts);
  const auto resolver = readFile("/etc/resolv.conf", 1 << 16).value_or("");
  for (const std::string& line : linesOf(resolver)) {
    const auto words = wordsOf(line);
    if (words.size() >= 2 && words[0] == "nameserver") facts.name_servers.push_back(printable(words[1]));
  }
  facts.resolved = std::ranges::find(facts.name_servers, "127.0.0.53") != facts.name_servers.end();
}

void lookAtManagers(Facts& facts) {
  facts.modem_manager = !processes("ModemManager").empty();
  if (facts.modem_manager && facts.device_exists) {
    const auto ran = runProgram({"udevadm", "info", "--query=property", "--name=" + facts.device});
    if (ran && ran->code == 0) facts.modem_manager_ignores = ran->output.contains("ID_MM_DEVICE_IGNORE=1");
  }
  facts.network_manager = !processes("NetworkManager").empty();
  if (facts.network_manager) {
    const auto ran = runProgram({"nmcli", "-t", "-f", "DEVICE,STATE", "device"});
    for (const std::string& line : linesOf(ran ? ran->output : "")) {
      if (line.starts_with(facts.interface + ":"))
        facts.network_manager_leaves = line == facts.interface + ":unmanaged";
    }
  }
  facts.networkd = !processes("systemd-networkd").empty();
  if (facts.networkd) {
    const auto ran = runProgram({"networkctl", "list", "--no-legend", "--no-pager", facts.interface});
    for (const std::string& line : linesOf(ran ? ran->output : "")) {
      const auto words = wordsOf(line);
      if (words.size() > 1 && words[1] == facts.interface)
        facts.networkd_leaves = words.back() == "unmanaged";
    }
  }
}

}  // namespace

Facts gatherFacts(const DoctorTask& task) {
  Facts facts;
  facts.root = ::geteuid() == 0;
  facts.interface = task.interface;
  lookAtConfiguration(task.config, facts);
  lookAtDaemon(task.socket, facts);
  lookAtDevice(facts);
  lookAtKernel(facts);
  lookAtNetwork(facts);
  lookAtManagers(facts);
  return facts;
}

}  // namespace qimux::ctl
