#include "qimux/ctl/monitor.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>

using namespace qimux::ctl;

namespace {

Json status() {
  return Json::parse(R"({"link": "online", "since_s": 723, "address": "10.121.7.33", "operator": "Vodafone",
    "rssi_dbm": -71, "queue": 1, "unconfirmed_bytes": 1460, "recoveries": {"resync": 3, "restart": 1},
    "version": "0.1.0", "last_error": null, "sockets": [
    {"index": 0, "state": "connected", "protocol": "tcp", "flow": "10.64.64.1:40000 -> 198.51.100.7:80",
     "sent": 1000, "acknowledged": 400, "received": 20000, "idle_s": 0},
    {"index": 1, "state": "connected", "protocol": "udp", "flow": "192.168.100.200:50123 -> 203.0.113.255:65535",
     "sent": 40, "acknowledged": 0, "received": 120, "idle_s": 12},
    {"index": 2, "state": "initial"}, {"index": 3, "state": "initial"}, {"index": 4, "state": "initial"},
    {"index": 5, "state": "initial"}]})");
}

// After two seconds: 3000 bytes in and 500 out on socket 0.
Json later() {
  Json json = status();
  json["sockets"][0]["received"] = 23000;
  json["sockets"][0]["sent"] = 1500;
  return json;
}

bool fits(const std::string& frame, std::size_t width) {
  std::istringstream in(frame);
  std::string line;
  while (std::getline(in, line)) {
    if (line.size() > width) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("nothing is shown before the first status") {
  const Monitor monitor;
  CHECK(monitor.frame(80, true).empty());
  CHECK(monitor.line().empty());
}

TEST_CASE("the first status has no rates, the second has those between them") {
  Monitor monitor;
  monitor.take(status(), 100);
  CHECK(monitor.line() ==
        "online 10.121.7.33 -71 dBm queue 1 unconfirmed 1460 B rx -/s tx -/s recoveries 4\n");
  monitor.take(later(), 102);
  CHECK(monitor.line() ==
        "online 10.121.7.33 -71 dBm queue 1 unconfirmed 1460 B rx 1500 B/s tx 250 B/s recoveries 4\n");
}

TEST_CASE("a screen of 80 columns") {
  Monitor monitor;
  monitor.take(status(), 100);
  monitor.take(later(), 102);
  const std::string frame = monitor.frame(80, false);
  CHECK(frame ==
        "qimuxd 0.1.0  online for 12 min 03 s  10.121.7.33  Vodafone  -71 dBm\n"
        "queue 1  unconfirmed 1460 B  rx 1500 B/s  tx 250 B/s  recoveries 4\n"
        "\n"
        "# STATE     PROT FLOW                                       RX/s TX/s UNACK IDLE\n"
        "0 connected tcp  10.64.64.1:40000 -> 198.51.100.7:80        1.5k  250  1.1k   0s\n"
        "1 connected udp  192.168.100.200:50123~ 203.0.113.255:65535    0    0     -  12s\n"
        "2 initial   -    -                                             -    -     -    -\n"
        "3 initial   -    -                                             -    -     -    -\n"
        "4 initial   -    -                                             -    -     -    -\n"
        "5 initial   -    -                                             -    -     -    -\n");
  CHECK(fits(frame, 80));
}

TEST_CASE("the screen is as narrow as the terminal") {
  Monitor monitor;
  Json json = status();
  json["last_error"] = "AT+QIACT: +CME ERROR: 148 (refused)";
  monitor.take(json, 1);
  for (const std::size_t width : {1U, 10U, 20U, 40U, 60U, 79U, 100U})
    CHECK(fits(monitor.frame(width, false), width));
  CHECK(monitor.frame(40, false).find("last error: AT+QIACT: +CME ERROR: 148 (r\n") != std::string::npos);
}

TEST_CASE("what is wrong now comes before what was wrong last") {
  Monitor monitor;
  Json json = status();
  json["last_error"] = "AT+QIACT: ERROR (refused)";
  json["trouble"] = {{"name", "activation_refused"}, {"message", "The network refuses the data connection."}};
  monitor.take(json, 1);
  const std::string frame = monitor.frame(80, false);
  CHECK(frame.find("trouble: The network refuses the data connection.\n") != std::string::npos);
  CHECK(frame.find("last error") == std::string::npos);
}

TEST_CASE("colour takes no room and changes no word") {
  Monitor monitor;
  monitor.take(status(), 1);
  for (const std::size_t width : {5U, 18U, 80U}) {
    std::string coloured = monitor.frame(width, true);
    CHECK(coloured.find("\x1b[7m") != std::string::npos);
    std::size_t at = 0;
    while ((at = coloured.find('\x1b')) != std::string::npos)
      coloured.erase(at, coloured.find('m', at) + 1 - at);
    CHECK(coloured == monitor.frame(width, false));
  }
  CHECK(monitor.frame(80, true).find("\x1b[1;32monline\x1b[0m") != std::string::npos);
  Json offline = status();
  offline["link"] = "registering";
  monitor.take(offline, 2);
  CHECK(monitor.frame(80, true).find("\x1b[1;33mregistering\x1b[0m") != std::string::npos);
}

TEST_CASE("a socket that belongs to somebody else now has no rate yet") {
  Monitor monitor;
  monitor.take(status(), 100);
  Json json = later();
  json["sockets"][0]["flow"] = "10.64.64.1:40002 -> 198.51.100.9:80";
  monitor.take(json, 102);
  CHECK(monitor.line().find("rx 0 B/s tx 0 B/s") != std::string::npos);
}

TEST_CASE("counters that went back, and no time between, give no rate") {
  Monitor monitor;
  Json json = status();
  json["sockets"].erase(1);
  monitor.take(json, 100);
  json["sockets"][0]["received"] = 5;
  monitor.take(json, 102);
  CHECK(monitor.line().find("rx -/s tx -/s") != std::string::npos);
  monitor.take(json, 102);
  CHECK(monitor.line().find("rx -/s tx -/s") != std::string::npos);
  monitor.take(json, 103);
  CHECK(monitor.line().find("rx 0 B/s tx 0 B/s") != std::string::npos);
}

TEST_CASE("a daemon of another version does not disturb") {
  Monitor monitor;
  for (
      const char* text :
      {"null", "[]", "{}", R"({"sockets":7})",
       R"({"sockets":[null,7,{"index":"x"},{"index":-1},{"index":6},{"index":1e300}]})",
       R"({"sockets":[{"index":0,"sent":"many","protocol":"tcp","acknowledged":null}],"recoveries":[1,"x"]})"}) {
    monitor.take(Json::parse(text), 1);
    CHECK(fits(monitor.frame(80, false), 80));
    CHECK(monitor.line().starts_with("- - - queue -"));
  }
}
