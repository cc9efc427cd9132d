// Commands, bytes, far ends and faults in every order: the module keeps its invariants, and is there again
// after a restart.
#include "rig.hpp"
#include "support/catch.hpp"

#include <array>
#include <map>
#include <random>
#include <set>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

constexpr std::array kLines{
    "AT",
    "ATE0",
    "ATE1",
    "AT+QIMUX=1",
    "AT+QINDI=0",
    "AT+QINDI=1",
    "AT+QINDI=2",
    "AT+QIREGAPP",
    "AT+QIACT",
    "AT+QILOCIP",
    "AT+QIDEACT",
    "AT+QIFGCNT=0",
    "AT+QIFGCNT=1",
    "AT+QISTATE",
    "AT+QISTAT",
    "AT+QISDE=0",
    "AT+QIOPEN=0,\"TCP\",\"198.51.100.7\",7",
    "AT+QIOPEN=1,\"UDP\",\"198.51.100.7\",7",
    "AT+QIOPEN=2,\"TCP\",\"198.51.100.7\",2000",
    "AT+QIOPEN=3,\"TCP\",\"203.0.113.1\",80",
    "AT+QISEND=0,10",
    "AT+QISEND=1",
    "AT+QISEND=2,1460",
    "AT+QISACK=0",
    "AT+QISACK=2",
    "AT+QIRD=0,1,0,1500",
    "AT+QIRD=0,1,1,3",
    "AT+QIRD=0,1,2,100",
    "AT+QICLOSE=0",
    "AT+QICLOSE=1",
    "AT+QICLOSE=3",
    "AT+CFUN=0",
    "AT+CFUN=1",
    "AT+CFUN=1,1",
    "AT+QIDNSGIP=\"echo.example\"",
    "AT+QIDNSGIP=\"none\"",
    "AT+QPING=\"198.51.100.7\"",
    "AT+CPIN?",
    "AT+CGATT=0",
    "AT+CGATT=1",
    "AT+QSCLK=2",
    "AT+IPR=9600",
    "AT+QIDNSIP=1;+QIPROMPT=3;&W",
    "ATV0",
};

constexpr std::array kFaultLines{
    "pdp-deact",       "pdp-deact 1",  "close 0",    "close 2",      "reset 0",      "dead 2",
    "reboot",          "hang 3",       "silence 1",  "stall 5",      "noise 0.05",   "noise 0",
    "send-fail 0 2",   "lose-send-ok", "lose-urc 3", "connect-fail", "connect-hang", "connect-delay 10",
    "activation-fail", "name-fail",    "deregister", "register",     "urc RING"};

class Soak {
 public:
  explicit Soak(std::uint64_t seed) : random_(seed), rig_(options()) {
    rig_.network.addHost("echo.example", {kServer});
    rig_.network.blackHole(*parseCidr("203.0.113.0/24"));
  }

  void step() {
    const std::size_t kind = below(20);
    if (kind < 9) {
      rig_.type(std::string(kLines[below(kLines.size())]) + "\r");
    } else if (kind < 12) {
      std::string bytes(below(2000), '\0');
      for (char& c : bytes) c = static_cast<char>(below(256));
      rig_.type(bytes);
    } else if (kind < 14) {
      rig_.fault(kFaultLines[below(kFaultLines.size())]);
    } else if (kind < 17 && rig_.seen->peer != nullptr) {
      steer();
    } else if (kind == 17) {
      recover();
    } else {
      exchange();
    }
    rig_.loop.runFor(async::Duration(static_cast<async::Duration::rep>(1) << below(24)));
    for (const std::string_view word : {"SEND OK", "CONNECT OK", "CLOSED", "+QIRD: ", "DEACT"}) {
      if (rig_.transcript.find(word) != std::string::npos) reached_.emplace(word);
    }
    rig_.heard.clear();
    rig_.pieces.clear();
    rig_.transcript.clear();
  }

  // Words that the module has said.
  const std::set<std::string>& reached() const { return reached_; }

  // Whatever was done to it, a cold start makes it whole.
  std::string afterColdStart() {
    rig_.fault("power-off");
    rig_.fault("noise 0");
    rig_.fault("power-on");
    rig_.after(2min);
    rig_.say("ATE0");
    return rig_.say("AT");
  }

 private:
  static constexpr std::size_t kQuirks = static_cast<std::size_t>(Quirk::Count);

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  Options options() {
    Options made;
    made.seed = random_();
    made.firmware = static_cast<Firmware>(below(3));
    for (int i = 0; i < 3; ++i) made.quirks.add(static_cast<Quirk>(below(kQuirks)));
    made.rtt = std::chrono::milliseconds(below(2) * 700);
    made.rate = below(2) * 5000;
    made.power_on = below(2) == 0;
    made.command_latency = std::chrono::milliseconds(below(2) * 5);
    return made;
  }

  // What a host would do to get going again.
  void recover() {
    rig_.type(std::string(1460, '\x1b') + "\r");
    rig_.loop.runFor(20s);
    rig_.say("AT+CFUN=1", 20s);
    rig_.say("AT+QIFGCNT=0");
    rig_.say("AT+QIDEACT", 1s);
    rig_.say("AT+QIDNSIP=0;+QIPROMPT=1");
    rig_.bringUp(static_cast<int>(below(3)));
    rig_.open(0, kEcho, "TCP", 2s);
    rig_.open(1, kEcho, "UDP", 2s);
    rig_.open(2, kQuiet, "TCP", 2s);
  }

  void exchange() {
    const int index = static_cast<int>(below(3));
    rig_.send(index, std::string(1 + below(1460), 'x'));
    if (below(2) == 0) rig_.read(index);
  }

  void steer() {
    VirtualPeer& peer = *rig_.seen->peer;
    switch (below(5)) {
      case 0:
        peer.close();
        break;
      case 1:
        peer.reset();
        break;
      case 2:
        peer.setRoom(below(3000));
        break;
      default:
        peer.send(bytesOf(std::string(below(30000), 'x')));
    }
  }

  std::mt19937_64 random_;
  std::set<std::string> reached_;
  Rig rig_;
};

}  // namespace

TEST_CASE("any order of commands, bytes, ends and faults is survived") {
  std::map<std::string, int> reached;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Soak soak(seed);
    for (int i = 0; i < 400; ++i) soak.step();
    for (const auto& word : soak.reached()) ++reached[word];
    const std::string heard = soak.afterColdStart();
    CHECK((heard == "\r\nOK\r\n" || heard == "0\r"));
  }
  // Else it would survive by never doing anything.
  CHECK(reached.size() == 5);
  for (const auto& [word, seeds] : reached) {
    CAPTURE(word);
    CHECK(seeds > 20);
  }
}
