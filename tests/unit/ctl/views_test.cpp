#include "qimux/ctl/views.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>

using namespace qimux::ctl;

namespace {

const Json kStatus = Json::parse(R"({
  "link": "online", "since_s": 723, "address": "10.121.7.33", "operator": "Vodafone", "rssi_dbm": -71,
  "registration": "home", "device": "/dev/gsm0", "mode": 2, "queue": 1, "unconfirmed_bytes": 1460,
  "recoveries": {"resync": 3, "deactivate": 0, "restart": 1}, "trouble": null,
  "losses": {"context": 2, "silence": 0}, "last_recovery": {"step": "restart", "result": "done"}, "uptime_s": 183600, "version": "0.1.0",
  "module": {"manufacturer": "Quectel_Ltd", "model": "Quectel_M95", "revision": "M95FAR02A08", "imei": "860000000000000"},
  "interface": {"name": "gsm0", "address": "10.64.64.1/30", "gateway": "10.64.64.2"}, "last_error": null,
  "sockets": [
    {"index": 0, "state": "connected", "protocol": "tcp", "remote": "198.51.100.7:80", "local": "10.121.7.33:4097",
     "sent": 15935, "acknowledged": 14475, "received": 1234567, "idle_s": 0.4, "flow": "10.64.64.1:40000 -> 198.51.100.7:80"},
    {"index": 1, "state": "connecting", "protocol": "tcp", "remote": "203.0.113.255:65535", "local": null,
     "sent": 0, "acknowledged": 0, "received": 0, "idle_s": 71, "flow": "192.168.100.200:50123 -> 203.0.113.255:65535"},
    {"index": 2, "state": "connected", "protocol": "udp", "remote": "192.0.2.53:53", "local": null,
     "sent": 40, "acknowledged": 0, "received": 120, "idle_s": 12, "flow": "10.64.64.1:40001 -> 192.0.2.53:53"},
    {"index": 3, "state": "initial", "protocol": null, "remote": null, "local": null, "sent": 0, "acknowledged": 0,
     "received": 0, "idle_s": null, "flow": null},
    {"index": 4, "state": "initial"},
    {"index": 5, "state": "initial"}]})");

std::size_t widest(const std::string& text) {
  std::istringstream in(text);
  std::string line;
  std::size_t most = 0;
  while (std::getline(in, line)) most = std::max(most, line.size());
  return most;
}

}  // namespace

TEST_CASE("status: the fields, then the sockets") {
  const std::string text = renderStatus(kStatus, 80);
  CHECK(text ==
        "link          online\n"
        "since         12 min 03 s\n"
        "trouble       -\n"
        "address       10.121.7.33\n"
        "operator      Vodafone\n"
        "signal        -71 dBm\n"
        "registration  home\n"
        "module        Quectel_Ltd Quectel_M95 M95FAR02A08\n"
        "imei          860000000000000\n"
        "device        /dev/gsm0\n"
        "read mode     2\n"
        "interface     gsm0 10.64.64.1/30\n"
        "gateway       10.64.64.2\n"
        "queue         1\n"
        "unconfirmed   1460 B\n"
        "losses        context 2\n"
        "recoveries    resync 3, restart 1\n"
        "the last      restart done\n"
        "last error    -\n"
        "uptime        2 d 03 h\n"
        "version       0.1.0\n"
        "\n"
        "# STATE      PROT REMOTE              LOCAL             SENT ACKED RECV IDLE\n"
        "0 connected  tcp  198.51.100.7:80     10.121.7.33:4097 15.9k 14.5k 1.2M   0s\n"
        "1 connecting tcp  203.0.113.255:65535 -                    0     0    0   1m\n"
        "2 connected  udp  192.0.2.53:53       -                   40     0  120  12s\n"
        "3 initial    -    -                   -                    0     0    0    -\n"
        "4 initial    -    -                   -                    -     -    -    -\n"
        "5 initial    -    -                   -                    -     -    -    -\n");
  CHECK(widest(text) <= 80);
}

TEST_CASE("status: whatever a daemon of another version leaves out or changes") {
  const std::string empty = renderStatus(Json::object(), 80);
  CHECK(empty.starts_with("link          -\n"));
  CHECK(empty.ends_with("\n# STATE PROT REMOTE LOCAL SENT ACKED RECV IDLE\n"));
  CHECK(renderStatus(Json(), 80) == empty);
  CHECK(renderStatus(Json::array(), 80) == empty);
  CHECK(renderStatus({{"sockets", "six"}, {"module", 7}, {"recoveries", nullptr}}, 80) == empty);
}

TEST_CASE("sockets: each with its flow, within the terminal") {
  CHECK(renderSockets(kStatus, 80) ==
        "# STATE      PROT FLOW                                      SENT ACKED RECV IDLE\n"
        "0 connected  tcp  10.64.64.1:40000 -> 198.51.100.7:80      15.9k 14.5k 1.2M   0s\n"
        "1 connecting tcp  192.168.100.200:5012~203.0.113.255:65535     0     0    0   1m\n"
        "2 connected  udp  10.64.64.1:40001 -> 192.0.2.53:53           40     0  120  12s\n"
        "3 initial    -    -                                            0     0    0    -\n"
        "4 initial    -    -                                            -     -    -    -\n"
        "5 initial    -    -                                            -     -    -    -\n");
  CHECK(widest(renderSockets(kStatus, 80)) == 80);
}

TEST_CASE("sockets: the array alone is as good, and nothing is cut where there is no terminal") {
  const std::string text = renderSockets(kStatus["sockets"], 0);
  CHECK(text == renderSockets(kStatus, 0));
  CHECK(text.find("192.168.100.200:50123 -> 203.0.113.255:65535") != std::string::npos);
}

TEST_CASE("flows: those with a socket and those that wait for one") {
  const Json flows = Json::parse(R"({"flows": [
    {"id": 17, "protocol": "tcp", "source": "10.64.64.1:40000", "destination": "198.51.100.7:80", "state": "established",
     "socket": 0, "waiting_s": null, "sent": 15935, "received": 1234567, "unconfirmed_bytes": 1460, "idle_s": 0},
    {"id": 1018, "protocol": "tcp", "source": "192.168.100.200:50123", "destination": "203.0.113.255:65535",
     "state": "queued", "socket": null, "waiting_s": 71, "sent": 0, "received": 0, "unconfirmed_bytes": 0, "idle_s": 71}]})");
  CHECK(renderFlows(flows, 80) ==
        "PROT SOURCE            DESTINATION       STATE       # WAIT  SENT RECV  UNC IDLE\n"
        "tcp  10.64.64.1:40000  198.51.100.7:80   established 0    - 15.9k 1.2M 1.5k   0s\n"
        "tcp  192.168.~00:50123 203.0.11~55:65535 queued      -   1m     0    0    0   1m\n");
  CHECK(widest(renderFlows(flows, 80)) <= 80);
  CHECK(renderFlows(flows["flows"], 80) == renderFlows(flows, 80));
  CHECK(renderFlows(Json(), 0) == "PROT SOURCE DESTINATION STATE # WAIT SENT RECV UNC IDLE\n");
}

TEST_CASE("stats: grouped by the word before the dot, names and numbers in columns") {
  const Json stats = Json::parse(R"({"packets.outer_in": 123456, "packets.outer_out": 7, "flows.opened": 3,
    "connect.refused": 0, "packets.dropped": 1, "uptime": 5, "dns.cache.hits": 2, "x.\u001b": null})");
  CHECK(renderStats(stats) ==
        "packets\n"
        "  outer_in    123456\n"
        "  outer_out        7\n"
        "  dropped          1\n"
        "flows\n"
        "  opened           3\n"
        "connect\n"
        "  refused          0\n"
        "other\n"
        "  uptime           5\n"
        "dns\n"
        "  cache.hits       2\n"
        "x\n"
        "  \\x1b             -\n");
  CHECK(renderStats(Json::array()).empty());
  CHECK(renderStats(Json()).empty());
}

TEST_CASE("at: the module's lines, and what it ended with") {
  CHECK(renderAt(Json::parse(R"({"lines":["+CSQ: 21,0"],"final":"OK"})")) == "+CSQ: 21,0\nOK\n");
  CHECK(renderAt(Json::parse(R"({"lines":["\u001b[2J"],"final":"OK"})")) == "\\x1b[2J\nOK\n");
  CHECK(renderAt(Json::parse(R"({"lines":[],"final":"OK"})")) == "OK\n");
  CHECK(renderAt(Json::parse(R"({"lines":7})")) == "-\n");
}

TEST_CASE("dns: an address a line, or none") {
  const Json found = Json::parse(R"({"name":"example.org","addresses":["198.51.100.7","198.51.100.8"]})");
  CHECK(renderDns(found) == "198.51.100.7\n198.51.100.8\n");
  CHECK_FALSE(saysNo("dns", found));
  for (const char* none : {R"({"addresses":[]})", R"({"addresses":null})", "{}", "null"}) {
    CHECK(renderDns(Json::parse(none)) == "no address\n");
    CHECK(saysNo("dns", Json::parse(none)));
  }
}

TEST_CASE("ping: the echo and its time, or none") {
  const Json result = Json::parse(R"({"address":"192.0.2.1","time_ms":612})");
  CHECK(renderPing(result) == "reply from 192.0.2.1: 612 ms\n");
  CHECK_FALSE(saysNo("ping", result));
  CHECK(renderPing(Json::parse(R"({"address":"192.0.2.1"})")) == "no reply from 192.0.2.1\n");
  CHECK(renderPing(Json()) == "no reply from -\n");
  CHECK(saysNo("ping", Json()));
}

TEST_CASE("usage: a table for each period, what costs most first as it comes") {
  const Json result = Json::parse(R"({"by":"destination","periods":[
    {"period":"2026-11-23","sent":1460,"received":120000,"by":[
      {"name":"tcp 198.51.100.1:443","sent":1400,"received":119900},{"name":"names","sent":60,"received":100}]},
    {"period":"2026-11","sent":0,"received":0,"by":[]}]})");
  CHECK(renderUsage(result, 80) ==
        "2026-11-23: 1460 B sent, 120 kB received\n"
        "NAME                   SENT RECEIVED\n"
        "tcp 198.51.100.1:443 1400 B   120 kB\n"
        "names                  60 B    100 B\n"
        "\n"
        "2026-11: 0 B sent, 0 B received\n");
  CHECK(renderUsage(Json::parse(R"({"by":"off","periods":[]})"), 80) ==
        "data use is not counted: usage.by is \"off\"\n");
  CHECK(renderUsage(Json(), 80) == "nothing yet\n");
}

TEST_CASE("the small ones") {
  CHECK(renderLogLevel({{"level", "info"}}) == "info\n");
  CHECK(renderVersion({{"version", "0.1.0"}}) == "qimuxd 0.1.0\n");
  CHECK(renderLogLevel(Json()) == "-\n");
  CHECK_FALSE(saysNo("status", Json()));
}
