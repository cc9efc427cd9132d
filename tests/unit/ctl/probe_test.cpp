#include "qimux/ctl/probe.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <map>
#include <vector>

using namespace qimux;
using namespace qimux::ctl;
using namespace std::chrono_literals;

namespace {

// A module that answers at one rate, and notes what it was asked.
class Module final : public serial::Port {
 public:
  explicit Module(async::VirtualLoop& loop) : loop_(loop) {}
  Result<void> write(ByteView bytes) override {
    if (rate != right_rate) {
      // At another rate it hears garbage, and says some.
      say("\xf8\x80\xff");
      return {};
    }
    const std::string text(textOf(bytes));
    heard.push_back(text.substr(0, text.find('\r')));
    const auto answer = answers.find(heard.back());
    if (echo) say(text);
    say(answer != answers.end() ? answer->second : "\r\nERROR\r\n");
    return {};
  }
  Result<void> setLine(serial::ModemLine, bool) override { return {}; }
  Result<void> setRate(int baud) override {
    rate = baud;
    rates.push_back(baud);
    return {};
  }
  int right_rate = 9600;
  int rate = 0;
  bool echo = false;
  std::vector<int> rates;
  std::vector<std::string> heard;
  std::map<std::string, std::string> answers{
      {"AT", "\r\nOK\r\n"},
      {"ATI", "\r\nQuectel_Ltd\r\nQuectel_M95\r\nRevision: M95FAR02A08\r\n\r\nOK\r\n"},
      {"AT+GMM", "\r\nQuectel_M95\r\n\r\nOK\r\n"},
      {"AT+GMR", "\r\nM95FAR02A08\r\n\r\nOK\r\n"},
      {"AT+GSN", "\r\n490154203237518\r\n\r\nOK\r\n"},
      {"AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"},
      {"AT+QIMUX?", "\r\n+QIMUX: 0\r\n\r\nOK\r\n"},
      {"AT+QINDI=?", "\r\n+QINDI: (0-2)\r\n\r\nOK\r\n"}};

 private:
  void say(const std::string& text) {
    loop_.post([this, text] { deliver(bytesOf(text)); });
  }
  async::VirtualLoop& loop_;
};

struct Rig {
  std::optional<Found> find(std::span<const int> rates = kProbeRates, bool imei = false) {
    std::optional<Found> found;
    async::Scope scope(loop);
    scope.spawn(search(rates, imei, found));
    loop.runFor(2min);
    return found;
  }
  async::Task<void> search(std::span<const int> rates, bool imei, std::optional<Found>& found) {
    found = co_await findModule(loop, module, rates, imei);
  }
  async::VirtualLoop loop;
  Module module{loop};
};

}  // namespace

TEST_CASE("a module is found at its rate, and only asked") {
  Rig rig;
  const auto found = rig.find();
  REQUIRE(found);
  CHECK(found->baud == 9600);
  CHECK(found->identity == "Quectel_Ltd Quectel_M95 Revision: M95FAR02A08");
  CHECK(found->model == "Quectel_M95");
  CHECK(found->revision == "M95FAR02A08");
  CHECK(found->sim == "READY");
  CHECK(found->imei.empty());
  CHECK(found->stack);
  CHECK(found->packet_sizes == true);
  CHECK(rig.module.rates == std::vector<int>{115200, 9600});
  CHECK(rig.module.heard ==
        std::vector<std::string>{"AT", "ATI", "AT+GMM", "AT+GMR", "AT+CPIN?", "AT+QIMUX?", "AT+QINDI=?"});
}

TEST_CASE("its IMEI only where that is wanted, its echo left as it is") {
  Rig rig;
  rig.module.echo = true;
  const auto found = rig.find(kProbeRates, true);
  REQUIRE(found);
  CHECK(found->imei == "490154203237518");
  CHECK(found->model == "Quectel_M95");
  CHECK(rig.module.heard.back() == "AT+GSN");
}

TEST_CASE("another modem has no TCP/IP stack of this kind, and no configuration to paste") {
  Rig rig;
  rig.module.answers.erase("AT+QIMUX?");
  rig.module.answers.erase("AT+QINDI=?");
  rig.module.answers["AT+CPIN?"] = "\r\n+CME ERROR: 10\r\n";
  const auto found = rig.find();
  REQUIRE(found);
  CHECK_FALSE(found->stack);
  CHECK_FALSE(found->packet_sizes);
  CHECK(found->sim == "+CME ERROR: 10");
  const std::string text = renderFound(*found, "/dev/ttyUSB0", {}, "gsm0");
  CHECK(text.contains("qimuxd cannot use this module"));
  CHECK_FALSE(text.contains("apn"));
}

TEST_CASE("nothing that answers is nothing, soon") {
  Rig rig;
  rig.module.right_rate = 300;
  const auto before = rig.loop.now();
  CHECK_FALSE(rig.find());
  CHECK(rig.module.rates.size() == std::size(kProbeRates));
  CHECK(rig.module.heard.empty());
  CHECK(rig.loop.now() - before <= 2min);
  const int only[] = {300};
  Rig one;
  one.module.right_rate = 300;
  CHECK(one.find(only));
}

TEST_CASE("firmware that knows no sizes of packets") {
  Rig rig;
  rig.module.answers["AT+QINDI=?"] = "\r\n+QINDI: (0,1)\r\n\r\nOK\r\n";
  CHECK(rig.find()->packet_sizes == false);
}

TEST_CASE("what is printed can be pasted") {
  const Found found{9600, "Quectel_Ltd Quectel_M95", "Quectel_M95", "M95FAR02A08", "", "READY", true, true};
  const Tty tty{"ttyUSB0", "0403", "6001", "A900J1XY", "1-1:1.0", 1};
  CHECK(renderFound(found, "/dev/ttyUSB0", tty, "gsm0") ==
        "/dev/ttyUSB0: a module answers at 9600 baud\n"
        "  it is     Quectel_Ltd Quectel_M95\n"
        "  revision  M95FAR02A08\n"
        "  SIM       READY\n"
        "  TCP/IP    yes (AT+QIMUX)\n"
        "  UDP       datagrams keep their boundaries (AT+QINDI=2)\n"
        "\n"
        "In /etc/udev/rules.d/60-qimuxd-local.rules, so that it is /dev/gsm0:\n"
        "SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"0403\", ATTRS{idProduct}==\"6001\", "
        "ATTRS{serial}==\"A900J1XY\", "
        "ENV{QIMUX}=\"gsm0\"\n"
        "and then, or plug it in again:\n"
        "udevadm control --reload && udevadm trigger --subsystem-match=tty --action=add\n"
        "\n"
        "In /etc/qimuxd/qimuxd.toml:\n"
        "[serial]\ndevice = \"/dev/gsm0\"\nbaud = 9600\n\n[module]\napn = \"\"  # your operator's\n");
  CHECK(renderFound(found, "/dev/pts/3", {}, "gsm1")
            .contains("/etc/qimuxd/gsm1.toml:\n[serial]\ndevice = \"/dev/pts/3\""));
}
