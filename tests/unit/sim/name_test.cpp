// Names, echo requests and time servers where the context that asked goes away meanwhile.
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

// Answers of the network take 300 ms.
struct Asking : Rig {
  explicit Asking(Options options = {}) : Rig(slow(std::move(options))) {
    network.addHost("many.example", {{0xc0000201}, {0xc0000202}});
    bringUp();
  }
  static Options slow(Options options) {
    options.rtt = 300ms;
    options.wall_clock = [] { return std::int64_t{1285398397}; };
    return options;
  }
};

constexpr std::string_view kOk = "\r\nOK\r\n";

}  // namespace

TEST_CASE("a name that was asked for in a context that is lost meanwhile is ERROR: 3",
          "[AT+QIDNSGIP][point-17]") {
  Asking rig;
  CHECK(rig.say("AT+QIDNSGIP=\"many.example\"") == kOk);
  rig.fault("pdp-deact");
  CHECK(rig.after(1s) == "\r\n+PDP DEACT\r\n\r\nERROR: 3\r\n\r\nSTATE: PDP DEACT\r\n");
}

TEST_CASE("AT+QIDEACT ends a question, too, also where the context is up again before the answer",
          "[AT+QIDNSGIP][AT+QIDEACT]") {
  Options options;
  options.latencies["+QIDEACT"] = {10ms, 10ms};
  options.latencies["+QIACT"] = {10ms, 10ms};
  Asking rig(options);
  CHECK(rig.say("AT+QIDNSGIP=\"many.example\"", 10ms) == kOk);
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n\r\nERROR: 3\r\n\r\nSTATE: IP INITIAL\r\n");
  rig.bringUp();
  CHECK(rig.say("AT+QIDNSGIP=\"many.example\"", 10ms) == kOk);
  CHECK(rig.say("AT+QIDEACT", 30ms) == "\r\nDEACT OK\r\n");
  CHECK(rig.say("AT+QIREGAPP;+QIACT", 30ms) == kOk);
  CHECK(rig.after(1s) == "\r\nERROR: 3\r\n\r\nSTATE: IP GPRSACT\r\n");
}

TEST_CASE("the state behind a failed name is that of the context that asked", "[AT+QIDNSGIP][AT+QIFGCNT]") {
  Asking rig;
  CHECK(rig.say("AT+QIDNSGIP=\"nobody.example\"") == kOk);
  CHECK(rig.say("AT+QIFGCNT=1") == kOk);
  CHECK(rig.after(1s) == "\r\nERROR: 4\r\n\r\nSTATE: IP STATUS\r\n");
}

TEST_CASE("late addresses do not outlive their context", "[AT+QIDNSGIP]") {
  Asking rig(withQuirk(Quirk::LateAddress));
  CHECK(rig.say("AT+QIDNSGIP=\"many.example\"", 320ms) == "\r\nOK\r\n\r\n192.0.2.1\r\n");
  rig.fault("pdp-deact");
  CHECK(rig.after(1s) == "\r\n+PDP DEACT\r\n");
}

TEST_CASE("echo requests end with 5 when their context is lost", "[AT+QPING]") {
  Asking rig;
  CHECK(rig.say("AT+QPING=\"198.51.100.7\"", 400ms) == "\r\nOK\r\n\r\n+QPING: 0,198.51.100.7,32,300,64\r\n");
  rig.fault("pdp-deact");
  CHECK(rig.after(10s) == "\r\n+PDP DEACT\r\n\r\n+QPING: 5\r\n");
  rig.say("AT+QIDEACT", 1s);
  rig.bringUp();
  CHECK(rig.say("AT+QPING=\"many.example\"") == kOk);
  CHECK(rig.say("AT+QIDEACT", 10s) == "\r\nDEACT OK\r\n\r\n+QPING: 5\r\n");
}

TEST_CASE("the clock is not set through a context that is lost meanwhile", "[AT+QNTP]") {
  Asking rig;
  CHECK(rig.say("AT+QNTP=\"198.51.100.7\"") == kOk);
  rig.fault("pdp-deact");
  CHECK(rig.after(20s) == "\r\n+PDP DEACT\r\n\r\n+QNTP: 5\r\n");
  CHECK(rig.say("AT+CCLK?").starts_with("\r\n+CCLK: \"04/01/01"));
  rig.say("AT+QIDEACT", 1s);
  rig.bringUp();
  CHECK(rig.say("AT+QNTP=\"many.example\"") == kOk);
  CHECK(rig.say("AT+QIDEACT", 20s) == "\r\nDEACT OK\r\n\r\n+QNTP: 5\r\n");
}

TEST_CASE("servers for names are kept as they are given, until the next activation brings the network's",
          "[AT+QIDNSCFG]") {
  Asking rig;
  CHECK(rig.say("AT+QIDNSCFG=\"192.0.2.53\"") == kOk);
  CHECK(rig.say("AT+QIDNSCFG?") ==
        "\r\nPrimaryDns: 192.0.2.53\r\n\r\nSecondaryDns: 211.136.112.50\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QIDNSCFG=\"192.0.2.54\",\"192.0.2.55\";+QIDNSCFG?") ==
        "\r\nPrimaryDns: 192.0.2.54\r\n\r\nSecondaryDns: 192.0.2.55\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QIDNSCFG=\"dns.example\"") == "\r\nERROR\r\n");
  rig.say("AT+QIDEACT", 1s);
  rig.bringUp();
  CHECK(rig.say("AT+QIDNSCFG?").starts_with("\r\nPrimaryDns: 211.136.18.171\r\n"));
}
