#include "qimux/ctl/doctor.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <sstream>

using namespace qimux::ctl;

namespace {

// A machine on which all is well.
Facts healthy() {
  Facts facts;
  facts.root = true;
  facts.configuration_read = facts.daemon_running = true;
  facts.link = "online";
  facts.device_exists = facts.device_is_tty = facts.device_usable = true;
  facts.device_owner = "root:dialout 0660";
  facts.tun_node = facts.tun_usable = true;
  facts.user_namespaces = true;
  facts.interface_exists = facts.own_default = facts.own_default_first = true;
  facts.other_default = false;
  facts.firewall = "";
  facts.name_servers = {"10.64.64.2"};
  return facts;
}

// Checks that are not ok, as "fail device, warn link".
std::string complaints(const Facts& facts) {
  std::string text;
  for (const Finding& finding : diagnose(facts)) {
    CHECK_FALSE(finding.text.empty());
    CHECK((finding.verdict == Verdict::Ok) == finding.advice.empty());
    if (finding.verdict == Verdict::Ok) continue;
    text += (text.empty() ? "" : ", ") + std::string(name(finding.verdict)) + " " + finding.check;
  }
  return text;
}

struct Case {
  const char* complaint;
  std::function<void(Facts&)> spoil;
};

}  // namespace

TEST_CASE("a machine on which all is well has nothing to complain of") {
  CHECK(complaints(healthy()).empty());
  CHECK(isFine(diagnose(healthy())));
}

TEST_CASE("each thing that is wrong is found, and nothing else") {
  const std::vector<Case> cases = {
      {"warn config", [](Facts& f) { f.configuration_read = false; }},
      {"warn config",
       [](Facts& f) {
         f.configuration_read = false;
         f.configuration_hidden = true;
       }},
      {"fail config",
       [](Facts& f) { f.configuration_wrong = "qimuxd.toml:3: serial.baud: 1234 is no rate"; }},
      {"fail device", [](Facts& f) { f.device_exists = false; }},
      {"fail device", [](Facts& f) { f.device_is_tty = false; }},
      {"warn device, fail daemon", [](Facts& f) { f.device_usable = f.daemon_running = false; }},
      {"", [](Facts& f) { f.device_usable = false; }},  // the daemon has it, whoever asks
      {"fail holder", [](Facts& f) { f.device_holders = "minicom (pid 7)"; }},
      {"fail modemmanager",
       [](Facts& f) {
         f.modem_manager = true;
         f.modem_manager_ignores = false;
       }},
      {"warn modemmanager", [](Facts& f) { f.modem_manager = true; }},
      {"",
       [](Facts& f) {
         f.modem_manager = true;
         f.modem_manager_ignores = true;
       }},
      {"fail networkmanager",
       [](Facts& f) {
         f.network_manager = true;
         f.network_manager_leaves = false;
       }},
      {"",
       [](Facts& f) {
         f.network_manager = f.networkd = true;
         f.networkd_leaves = true;
       }},
      {"fail networkd",
       [](Facts& f) {
         f.networkd = true;
         f.networkd_leaves = false;
       }},
      {"fail tun", [](Facts& f) { f.tun_node = false; }},
      {"fail tun", [](Facts& f) { f.tun_usable = false; }},
      {"warn namespace, fail daemon", [](Facts& f) { f.user_namespaces = f.daemon_running = false; }},
      {"fail daemon",
       [](Facts& f) {
         f.user_namespaces.reset();
         f.daemon_running = false;
       }},
      // root, who looks, can make them all the same
      {"warn namespace, fail daemon",
       [](Facts& f) {
         f.forbidding_sysctl = "kernel.unprivileged_userns_clone is 0";
         f.daemon_running = false;
       }},
      {"warn namespace, fail daemon",
       [](Facts& f) {
         f.forbidding_sysctl = "kernel.unprivileged_userns_clone is 0";
         f.daemon_silent = "hangs";
       }},
      // one that answers has been able to
      {"", [](Facts& f) { f.forbidding_sysctl = "kernel.apparmor_restrict_unprivileged_userns is 1"; }},
      {"", [](Facts& f) { f.user_namespaces = false; }},
      {"fail daemon", [](Facts& f) { f.daemon_running = false; }},
      {"fail daemon", [](Facts& f) { f.daemon_silent = "hangs"; }},
      {"warn daemon", [](Facts& f) { f.control_refused = true; }},
      {"fail link",
       [](Facts& f) {
         f.link = "sim";
         f.trouble = "no SIM";
       }},
      {"warn link", [](Facts& f) { f.link = "registering"; }},
      {"fail interface", [](Facts& f) { f.interface_exists = false; }},
      {"warn rp_filter", [](Facts& f) { f.rp_filter = 1; }},
      {"", [](Facts& f) { f.rp_filter = 2; }},
      {"warn route", [](Facts& f) { f.own_default = f.own_default_first = false; }},
      {"",
       [](Facts& f) {
         f.other_default = true;
         f.own_default_first = false;
       }},
      {"", [](Facts& f) { f.forwarding = true; }},
      {"", [](Facts& f) { f.firewall = "nftables"; }},
      {"warn firewall",
       [](Facts& f) {
         f.firewall = "nftables";
         f.dropping_hooks = {"inet filter output"};
       }},
      {"warn firewall", [](Facts& f) { f.firewall.reset(); }},
      {"warn names", [](Facts& f) { f.name_servers.clear(); }},
      {"", [](Facts& f) { f.resolved = true; }},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(i << ": " << cases[i].complaint);
    Facts facts = healthy();
    cases[i].spoil(facts);
    CHECK(complaints(facts) == cases[i].complaint);
    CHECK(isFine(diagnose(facts)) == !std::string_view(cases[i].complaint).contains("fail"));
  }
}

TEST_CASE("what is said names the thing, and what to do") {
  Facts facts = healthy();
  facts.device_exists = false;
  facts.ttys = {"/dev/ttyUSB0", "/dev/ttyUSB1"};
  const auto findings = diagnose(facts);
  const auto place = std::find_if(findings.begin(), findings.end(),
                                  [](const Finding& one) { return one.check == "device"; });
  REQUIRE(place != findings.end());
  CHECK(place->text == "/dev/gsm0 does not exist");
  CHECK(place->advice.contains("/dev/ttyUSB0, /dev/ttyUSB1"));
}

TEST_CASE("a hidden configuration is advised to be looked at by who may, not to be copied anew") {
  Facts facts = healthy();
  facts.configuration_read = false;
  facts.configuration_hidden = true;
  const Finding first = diagnose(facts).front();
  CHECK(first.text == "this user may not read the configuration");
  CHECK(first.advice.contains("sudo"));
}

TEST_CASE("which setting forbids user namespaces to those who are not root") {
  const auto forbidden = [](const std::string& name, const std::string& value) {
    return forbiddingSysctl([&](std::string_view asked) { return asked == name ? value : std::string(); });
  };
  CHECK(forbidden("user.max_user_namespaces", "0") == "user.max_user_namespaces is 0");
  CHECK(forbidden("user.max_user_namespaces", "15634").empty());
  CHECK(forbidden("kernel.unprivileged_userns_clone", "0") == "kernel.unprivileged_userns_clone is 0");
  CHECK(forbidden("kernel.unprivileged_userns_clone", "1").empty());
  CHECK(forbidden("kernel.apparmor_restrict_unprivileged_userns", "1") ==
        "kernel.apparmor_restrict_unprivileged_userns is 1");
  CHECK(forbidden("kernel.apparmor_restrict_unprivileged_userns", "0").empty());
  CHECK(forbidden("none", "0").empty());
}

TEST_CASE("no line is wider than the terminal, and colour only where it is wanted") {
  Facts facts = healthy();
  facts.daemon_running = false;
  facts.rp_filter = 1;
  facts.device_holders = "minicom (pid 7)";
  const std::string text = renderFindings(diagnose(facts), 80, false);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 80);
  }
  CHECK(text.contains("fail  daemon          qimuxd does not run\n                      -> systemctl start"));
  CHECK_FALSE(text.contains('\x1b'));
  CHECK(renderFindings(diagnose(facts), 80, true).contains("\x1b[1;31mfail  \x1b[0mdaemon"));
  CHECK(renderFindings({{"x", Verdict::Ok, std::string(300, 'y'), ""}}, 80, false).size() > 300);
}

TEST_CASE("JSON says the same") {
  Facts facts = healthy();
  facts.tun_node = false;
  const Json json = findingsJson(diagnose(facts));
  CHECK(json["fine"] == false);
  CHECK(json["findings"].size() == diagnose(facts).size());
  CHECK(json["findings"][3].contains("advice"));
}
