// The dialogues that the application note prints.
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {
Options note() {
  Options options;
  options.firmware = Firmware::Note;
  return options;
}
const Endpoint kNoteServer{*parseIpv4("124.79.167.121"), 7007};
}  // namespace

TEST_CASE("application note 3: the configuration and the activation") {
  Rig rig(note());
  rig.say("ATE0");
  CHECK(rig.say("AT+QIFGCNT=0") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QICSGP=1,\"CMNET\"") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIMUX=1") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIMODE=0") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIDNSIP=0") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIREGAPP") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nOK\r\n");
  CHECK(rig.say("AT+QILOCIP") == "\r\n10.180.217.206\r\n");
}

TEST_CASE("application note 3.3: a connection, a block, what became of it, and the way back") {
  Rig rig(note());
  rig.network.serveTcp(kNoteServer, [&rig] { return std::make_unique<Steered>(rig.seen); });
  rig.say("ATE0");
  rig.say("AT+QIMUX=1");
  rig.say("AT+QISDE=0");
  CHECK(rig.say("AT+QIOPEN=0,\"TCP\",\"124.79.167.121\",7007", 1s) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  CHECK(rig.say("AT+QISEND=0") == "\r\n> ");
  rig.type("Welcome to use module.\x1a");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "Welcome to use module.");
  CHECK(rig.say("AT+QISACK=0") == "\r\n+QISACK: 22, 22, 0\r\n\r\nOK\r\n");
  rig.seen->peer->send(bytesOf("Welcome to use module."));
  CHECK(rig.after(100ms) == "\r\n+RECEIVE: 0, 22\r\nWelcome to use module.");
  CHECK(rig.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
  CHECK(rig.seen->ended);
  CHECK_FALSE(rig.seen->was_reset);
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
}

TEST_CASE("application note 5.2.1.2: a block of a length that was said, in which Ctrl-Z is a byte") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.say("AT+QISEND=0,30") == "\r\n> ");
  rig.type("Welcome to use module.\x1a......");
  CHECK(rig.after(10s).empty());
  rig.type("!");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "Welcome to use module.\x1a......!");
}

TEST_CASE("application note 5.3.2: announced, and read with its source and length") {
  Rig rig(note());
  rig.bringUp();
  rig.open(0, kQuiet);
  rig.seen->peer->send(bytesOf("1234567890abcdefghijklmnopqrstuvwxyz"));
  CHECK(rig.after(100ms) == "\r\n+QIRDI:0,1,0\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,1024") ==
        "\r\n+QIRD:198.51.100.7:2000,TCP,36\r\n1234567890abcdefghijklmnopqrstuvwxyz\r\nOK\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,1024") == "\r\nOK\r\n");
}

TEST_CASE("application note 5.6.2: the state of everything") {
  Rig rig(note());
  rig.say("ATE0");
  rig.say("AT+QIMUX=1");
  CHECK(rig.say("AT+QISTATE") ==
        "\r\nOK\r\n\r\nSTATE: IP INITIAL\r\n"
        "\r\n+QISTATE: 0,\"\",\"\",\"\",\"INITIAL\"\r\n"
        "\r\n+QISTATE: 1,\"\",\"\",\"\",\"INITIAL\"\r\n"
        "\r\n+QISTATE: 2,\"\",\"\",\"\",\"INITIAL\"\r\n"
        "\r\n+QISTATE: 3,\"\",\"\",\"\",\"INITIAL\"\r\n"
        "\r\n+QISTATE: 4,\"\",\"\",\"\",\"INITIAL\"\r\n"
        "\r\n+QISTATE: 5,\"\",\"\",\"\",\"INITIAL\"\r\n");
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
