// Contexts and sockets: what is allowed when, and what the module says by itself.
#include "qimux/sim/stack.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

constexpr Endpoint kNobody{kServer, 9};

std::string stateOf(Rig& rig) {
  const std::string heard = rig.say("AT+QISTATE");
  const std::size_t begin = heard.find("STATE: ") + 7;
  return heard.substr(begin, heard.find('\r', begin) - begin);
}

}  // namespace

TEST_CASE("a context goes through the states of application note 5.6.1",
          "[AT+QIREGAPP][AT+QIACT][AT+QILOCIP][AT+QIDEACT][AT+QISTATE][point-14]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMUX=1");
  CHECK(stateOf(rig) == "IP INITIAL");
  CHECK(rig.say("AT+QIACT") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QILOCIP") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIREGAPP") == "\r\nOK\r\n");
  CHECK(stateOf(rig) == "IP START");
  CHECK(rig.say("AT+QIREGAPP") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIMUX=0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nOK\r\n");
  CHECK(stateOf(rig) == "IP GPRSACT");
  CHECK(rig.say("AT+QIACT") == "\r\nERROR\r\n");
  rig.say("AT+QILOCIP");
  CHECK(stateOf(rig) == "IP STATUS");
  rig.open(0, kQuiet);
  CHECK(stateOf(rig) == "IP PROCESSING");
  rig.say("AT+QICLOSE=0");
  CHECK(stateOf(rig) == "IP STATUS");
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
  CHECK(stateOf(rig) == "IP INITIAL");
}

TEST_CASE("AT+QIOPEN activates by itself and shows it in the state", "[AT+QIOPEN]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMUX=1");
  CHECK(rig.open(0, kQuiet) == "\r\nOK\r\n");
  CHECK(stateOf(rig) == "IP CONFIG");
  CHECK(stateOf(rig) == "IP IND");
  CHECK(rig.after(1s) == "\r\n0, CONNECT OK\r\n");
}

TEST_CASE("AT+QIDEACT in IP INITIAL is ERROR on new firmware and DEACT OK on old", "[AT+QIDEACT]") {
  Rig newer;
  newer.say("ATE0");
  CHECK(newer.say("AT+QIDEACT", 1s) == "\r\nERROR\r\n");
  Options options;
  options.firmware = Firmware::M95;
  Rig older(options);
  older.say("ATE0");
  CHECK(older.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
}

TEST_CASE("six sockets open beside one another, and each has its outcome", "[AT+QIOPEN][point-6]") {
  Rig rig;
  rig.bringUp();
  for (int i = 0; i < 6; ++i) {
    const Endpoint remote = i == 4 ? kNobody : kEcho;
    const std::string outcome = i == 4 ? "CONNECT FAIL" : "CONNECT OK";
    CHECK(rig.open(i, remote) == "\r\nOK\r\n\r\n" + std::to_string(i) + ", " + outcome + "\r\n");
  }
  CHECK(rig.say("AT+QIOPEN=6,\"TCP\",\"198.51.100.7\",7") == "\r\nERROR\r\n");
}

TEST_CASE("a port may be quoted, and nonsense is refused at once", "[AT+QIOPEN]") {
  Rig rig;
  rig.bringUp();
  CHECK(rig.say("AT+QIOPEN=0,\"TCP\",\"198.51.100.7\",\"7\"") == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  CHECK(rig.say("AT+QIOPEN=1,\"SCTP\",\"198.51.100.7\",7") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIOPEN=1,\"TCP\",\"198.51.100.7\",65536") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIOPEN=1,\"TCP\",\"198.51.100.7\"") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIOPEN=\"TCP\",\"198.51.100.7\",7") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIOPEN=1,\"TCP\",\"198.51.100.300\",7") == "\r\nERROR\r\n");
}

TEST_CASE("a name is taken only with AT+QIDNSIP=1", "[AT+QIDNSIP]") {
  Rig rig;
  rig.bringUp();
  rig.network.addHost("echo.example", {kServer});
  CHECK(rig.say("AT+QIOPEN=0,\"TCP\",\"echo.example\",7") == "\r\nERROR\r\n");
  rig.say("AT+QIDNSIP=1");
  CHECK(rig.say("AT+QIOPEN=0,\"TCP\",\"echo.example\",7") == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  CHECK(rig.say("AT+QIOPEN=1,\"TCP\",\"none.example\",7") == "\r\nOK\r\n\r\n1, CONNECT FAIL\r\n");
}

TEST_CASE("what never answers fails after 75 s, and does not hold anybody up meanwhile", "[point-6]") {
  Rig rig;
  rig.bringUp();
  rig.network.blackHole({{0xcb007100}, 24});
  CHECK(rig.open(0, {{0xcb007101}, 80}) == "\r\nOK\r\n");
  CHECK(rig.open(1, kEcho) == "\r\nOK\r\n\r\n1, CONNECT OK\r\n");
  CHECK(rig.after(74s).empty());
  CHECK(rig.after(1s) == "\r\n0, CONNECT FAIL\r\n");
}

TEST_CASE("AT+QICLOSE of a connect that is under way ends it without another word") {
  Rig rig;
  rig.bringUp();
  rig.network.blackHole({{0xcb007100}, 24});
  rig.open(0, {{0xcb007101}, 80});
  CHECK(rig.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
  CHECK(rig.after(80s).empty());
  CHECK(rig.say("AT+QICLOSE=0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QICLOSE") == "\r\nERROR\r\n");
}

TEST_CASE("an occupied index: the four ways in which firmwares say so", "[point-15]") {
  const auto second = [](Options options) {
    Rig rig(std::move(options));
    rig.bringUp();
    rig.open(0, kEcho);
    return rig.open(0, kEcho);
  };
  CHECK(second({}) == "\r\nALREADY CONNECT\r\n");
  CHECK(second(withQuirk(Quirk::AlreadyConnectError)) == "\r\nALREADY CONNECT\r\n\r\nERROR\r\n");
  CHECK(second(withQuirk(Quirk::AlreadyConnectFail)) == "\r\nOK\r\n\r\n0, CONNECT FAIL\r\n");
  Options m95;
  m95.firmware = Firmware::M95;
  CHECK(second(m95) == "\r\nALREADY CONNECT\r\n\r\nERROR\r\n");
}

TEST_CASE("+PDP DEACT: every socket is gone without a word, and nothing opens before AT+QIDEACT",
          "[AT+QIDEACT][point-8]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  rig.open(1, kEcho);
  CHECK(rig.fault("pdp-deact"));
  CHECK(rig.after(1s) == "\r\n+PDP DEACT\r\n");
  CHECK(rig.seen->ended);
  CHECK(stateOf(rig) == "PDP DEACT");
  CHECK(rig.open(2, kEcho) == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISEND=0,5") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,100") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIREGAPP") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QILOCIP") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
  CHECK(rig.open(2, kEcho, "TCP", 1s) == "\r\nOK\r\n\r\n2, CONNECT OK\r\n");
}

TEST_CASE("two contexts: AT+QIFGCNT chooses, and losing one leaves the other's sockets alone",
          "[AT+QIFGCNT]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kEcho);
  CHECK(rig.say("AT+QIFGCNT=1;+QIFGCNT?") == "\r\n+QIFGCNT: 1,0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISEND=1,5") == "\r\nERROR\r\n");
  rig.say("AT+QIMUX=1");
  rig.open(1, kQuiet, "TCP", 1s);
  rig.seen->peer->send(bytesOf("x"));
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 1,1,1\r\n");
  CHECK(rig.say("AT+QIRD=0,1,1,10") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIRD=1,1,1,10").find("TCP,1\r\nx") != std::string::npos);
  rig.fault("pdp-deact 1");
  rig.say("AT+QIFGCNT=0");
  CHECK(rig.send(0, "x") == "\r\nSEND OK\r\n\r\n+QIRDI: 0,1,0\r\n");
}

TEST_CASE("AT+QPING measures the way, and says what is not there", "[AT+QPING]") {
  Options options;
  options.rtt = 192ms;
  Rig rig(options);
  rig.bringUp();
  CHECK(rig.say("AT+QPING=\"198.51.100.7\",1,2", 1s) ==
        "\r\nOK\r\n\r\n+QPING: 0,198.51.100.7,32,192,64\r\n\r\n+QPING: 0,198.51.100.7,32,192,64\r\n"
        "\r\n+QPING: 2,2,2,0,192,192,192\r\n");
  CHECK(rig.say("AT+QPING=\"203.0.113.1\",2,1", 3s) ==
        "\r\nOK\r\n\r\n+QPING: 1\r\n\r\n+QPING: 2,1,0,1,0,0,0\r\n");
  CHECK(rig.say("AT+QPING=\"none.example\"", 1s) == "\r\nOK\r\n\r\n+QPING: 4\r\n");
}

TEST_CASE("settings that AT+QISCON stores survive, and AT+QINDI does not", "[AT+QISCON]") {
  Rig rig;
  rig.say("AT+QIDNSIP=1");
  rig.say("AT+QINDI=1");
  rig.say("AT+QISCON");
  rig.fault("reboot");
  rig.after(10s);
  CHECK(rig.say("AT+QIDNSIP?;+QINDI?").ends_with("+QIDNSIP: 1\r\n\r\n+QINDI: 0\r\n\r\nOK\r\n"));
}

TEST_CASE("AT+QINDI=2, AT+QIKALIVE and AT+QCFG are there on new firmware only",
          "[AT+QIKALIVE][AT+QCFG][AT+QINDI]") {
  Rig newer;
  Options options;
  options.firmware = Firmware::M95;
  Rig older(options);
  for (const char* line : {"AT+QINDI=2", "AT+QIKALIVE=0,60,10", "AT+QCFG=\"TCP/BufferRemain\",1"}) {
    CHECK(newer.say(line).ends_with("\r\nOK\r\n"));
    CHECK(older.say(line).ends_with("\r\nERROR\r\n"));
  }
}

TEST_CASE("AT+QIMUX is refused by the quirk until AT+QIDEACT was given", "[AT+QIMUX][point-14]") {
  Rig rig(withQuirk(Quirk::QimuxRefused, Firmware::M95));
  rig.say("ATE0");
  CHECK(rig.say("AT+QIMUX=1") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
  CHECK(rig.say("AT+QIMUX=1") == "\r\nOK\r\n");
}

TEST_CASE("AT+QISRVC=1 is the role of a client, and what the module begins with", "[AT+QISRVC]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QISRVC?") == "\r\n+QISRVC: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISRVC=1;+QISRVC?") == "\r\n+QISRVC: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISRVC=3") == "\r\nERROR\r\n");
}

TEST_CASE("a newer firmware ends AT+QISTATE with a second OK and shows what is open",
          "[AT+QISTATE][point-2]") {
  Rig rig;
  rig.bringUp();
  rig.open(3, kQuiet, "UDP");
  const std::string heard = rig.say("AT+QISTATE");
  CHECK(heard.starts_with("\r\nOK\r\n\r\nSTATE: IP PROCESSING\r\n"));
  CHECK(heard.find("+QISTATE: 3,\"UDP\",\"198.51.100.7\",\"2000\",\"CONNECTED\"\r\n") != std::string::npos);
  CHECK(heard.ends_with("+QISTATE: 5,\"\",\"\",\"\",\"INITIAL\"\r\n\r\nOK\r\n"));
}

TEST_CASE("addresses of a name, with the activation on the way, and what is said of none",
          "[AT+QIDNSGIP][AT+QIDNSCFG][point-17]") {
  Rig rig;
  rig.say("ATE0");
  rig.network.addHost("www.google.com", {*parseIpv4("64.233.189.99"), *parseIpv4("64.233.189.104"),
                                         *parseIpv4("64.233.189.147")});
  CHECK(rig.say("AT+QIDNSGIP=\"www.google.com\"", 1s) ==
        "\r\nOK\r\n\r\n64.233.189.99\r\n\r\n64.233.189.104\r\n\r\n64.233.189.147\r\n");
  CHECK(rig.say("AT+QIDNSGIP=\"nobody.example\"") == "\r\nOK\r\n\r\nERROR: 4\r\n\r\nSTATE: IP GPRSACT\r\n");
  CHECK(rig.say("AT+QIDNSCFG?") ==
        "\r\nPrimaryDns: 211.136.18.171\r\n\r\nSecondaryDns: 211.136.112.50\r\n\r\nOK\r\n");
}
