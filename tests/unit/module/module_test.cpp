#include "qimux/module/module.hpp"

#include "support/catch.hpp"
#include "support/fake_port.hpp"
#include "support/run.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::module;
using namespace qimux::test;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

namespace {

// AT+QISTATE's answer with six free sockets.
std::string stackIn(const std::string& state) {
  Lines list{"OK", "STATE: " + state};
  for (int index = 0; index < kSockets; ++index)
    list.push_back("+QISTATE: " + std::to_string(index) + R"(,"","","","INITIAL")");
  list.emplace_back("OK");
  return FakePort::framed(list);
}

// AT+QPINC, which older firmware does not know.
const Lines kUnknownCommand{"ERROR"};

struct Rig {
  explicit Rig(Settings settings = Settings{.apn = "internet"})
      : port(loop), channel(loop, port), module(loop, channel, std::move(settings)) {}
  Result<void> synchronise() { return run(loop, module.synchronise()); }
  Result<void> unlockSim() { return run(loop, module.unlockSim()); }
  Result<void> activate() { return run(loop, module.activate()); }

  // A module that does as it is told, after activation has been asked for.
  void obey() {
    port.always("AT+QIFGCNT", FakePort::framed({"OK"}));
    port.always("AT+QIDEACT", FakePort::framed({"DEACT OK"}));
    port.alwaysOk("AT+QICSGP");
    port.always("AT+QISTATE", stackIn("IP START"));
    port.always("AT+QIMUX?", FakePort::framed({"+QIMUX: 0", "OK"}));
    for (const char* text : {"AT+QIMUX=1", "AT+QIMODE=0", "AT+QIDNSIP=0", "AT+QINDI=2", "AT+QISDE=0",
                             "AT+QIPROMPT=1", "AT+QISRVC=1", "AT+QCFG", "AT+QIREGAPP", "AT+QIACT"})
      port.alwaysOk(text);
    port.always("AT+QILOCIP", FakePort::framed({"10.1.2.3"}));
  }

  async::VirtualLoop loop;
  FakePort port;
  at::Channel channel;
  Module module;
};

async::Task<bool> refresh(Module& module) {
  co_await module.refreshRadio();
  co_return true;
}

}  // namespace

TEST_CASE("signal strength in dBm") {
  CHECK(signalDbm(0) == -113);
  CHECK(signalDbm(17) == -79);
  CHECK(signalDbm(31) == -51);
  CHECK_FALSE(signalDbm(99));
  CHECK_FALSE(signalDbm(32));
}

TEST_CASE("a module is made to answer, without echo, and says who it is") {
  Rig rig;
  // With echo still on, as an M95 does it.
  rig.port.awaits("AT").says("AT\r\r\n\r\nOK\r\n").awaits("AT").says("AT\r\r\n\r\nOK\r\n");
  rig.port.awaits("ATE0").says("ATE0\r\r\n\r\nOK\r\n").awaits("ATV1").ok().awaits("AT+CMEE=1").ok();
  rig.port.awaits("AT+CGREG=1").ok();
  rig.port.awaits("AT+CGMI").lines({"Quectel_Ltd", "OK"}).awaits("AT+CGMM").lines({"Quectel_M95", "OK"});
  rig.port.awaits("AT+CGMR").lines({"Revision: M95AR01A21", "OK"});
  rig.port.awaits("AT+GSN").lines({"861234567890123", "OK"});
  CHECK(rig.synchronise());
  CHECK(rig.port.trouble() == "");
  CHECK(rig.module.identity().manufacturer == "Quectel_Ltd");
  CHECK(rig.module.identity().model == "Quectel_M95");
  CHECK(rig.module.identity().revision == "Revision: M95AR01A21");
  CHECK(rig.module.identity().imei == "861234567890123");
}

TEST_CASE("manners and identity that a firmware refuses are no failure") {
  Rig rig;
  rig.port.awaits("AT").ok().awaits("AT").ok().awaits("ATE0").ok().awaits("ATV1").lines({"ERROR"});
  rig.port.awaits("AT+CMEE=1")
      .lines({"ERROR"})
      .awaits("AT+CGREG=1")
      .lines({"ERROR"})
      .awaits("AT+CGMI")
      .lines({"ERROR"})
      .awaits("AT+CGMM")
      .ok();
  rig.port.awaits("AT+CGMR").lines({"ERROR"}).awaits("AT+GSN").lines({"ERROR"});
  CHECK(rig.synchronise());
  CHECK(rig.port.trouble() == "");
  CHECK(rig.module.identity().model.empty());
}

TEST_CASE("what a module calls itself can break no line") {
  Rig rig;
  rig.port.awaits("AT+CGMM").says("\r\n\x1b[31mM95\r\n\r\nOK\r\n");
  rig.port.alwaysOk("AT");
  CHECK(rig.synchronise());
  CHECK(rig.module.identity().model == "\\x1b[31mM95");
}

TEST_CASE("a module that falls silent while it is asked is not synchronised") {
  for (const char* last : {"AT+CMEE=1", "AT+CGMM"}) {
    Rig rig;
    rig.port.always(last, "");
    rig.port.alwaysOk("AT");
    const auto done = rig.synchronise();
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == ErrorKind::Timeout);
    CHECK(done.error().what == last);
  }
  Rig dead;
  dead.port.always("AT", "");
  CHECK(dead.synchronise().error().kind == ErrorKind::Timeout);
}

TEST_CASE("a SIM that is ready is asked once") {
  Rig rig;
  rig.port.awaits("AT+CPIN?").lines({"+CPIN: READY", "OK"});
  CHECK(rig.unlockSim());
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("a SIM that is busy after the start is waited for, however it says so") {
  for (const char* busy : {"+CME ERROR: 14", "+CME ERROR: 13", "+CME ERROR: SIM busy", "ERROR", "OK"}) {
    Rig rig;
    rig.port.awaits("AT+CPIN?").lines({busy}).awaits("AT+CPIN?").lines({busy});
    rig.port.awaits("AT+CPIN?").lines({"+CPIN: READY", "OK"});
    CHECK(rig.unlockSim());
    CHECK(rig.loop.now() >= async::TimePoint(1s));
  }
}

TEST_CASE("patience with a SIM has an end, and says what it is") {
  Rig rig;
  rig.port.always("AT+CPIN?", FakePort::framed({"+CME ERROR: 14"}));
  const auto done = rig.unlockSim();
  REQUIRE_FALSE(done);
  CHECK(done.error().text() == "SIM: is BUSY (timeout)");
  CHECK(rig.loop.now() >= async::TimePoint(20s));
  Rig absent;
  absent.port.always("AT+CPIN?", FakePort::framed({"+CME ERROR: 10"}));
  CHECK(absent.unlockSim().error().text() == "SIM: is NOT INSERTED (timeout)");
  CHECK(absent.loop.now() < async::TimePoint(7s));
}

TEST_CASE("a module that falls silent at the SIM is not a busy SIM") {
  Rig rig;
  rig.port.awaits("AT+CPIN?");
  CHECK(rig.unlockSim().error().what == "AT+CPIN?");
  CHECK(rig.channel.inDoubt());
}

TEST_CASE("the PIN is given where the SIM asks for it") {
  for (const char* asks : {"+CPIN: SIM PIN", "+CME ERROR: 11"}) {
    Rig rig(Settings{.pin = "1234"});
    const Lines answer = asks[1] == 'C' && asks[2] == 'P' ? Lines{asks, "OK"} : Lines{asks};
    rig.port.awaits("AT+CPIN?").lines(answer).awaits(R"(AT+QPINC="SC")").lines(kUnknownCommand);
    rig.port.awaits(R"(AT+CPIN="1234")").ok();
    rig.port.awaits("AT+CPIN?").lines({"+CME ERROR: 14"}).awaits("AT+CPIN?").lines({"+CPIN: READY", "OK"});
    CHECK(rig.unlockSim());
    CHECK(rig.port.trouble() == "");
  }
}

TEST_CASE("a PIN that the SIM still asks for after it was taken is not given again") {
  Rig rig(Settings{.pin = "1234"});
  rig.port.always("AT+QPINC", FakePort::framed(kUnknownCommand));
  rig.port.always("AT+CPIN?", FakePort::framed({"+CPIN: SIM PIN", "OK"}));
  rig.port.alwaysOk("AT+CPIN=");
  CHECK(rig.unlockSim().error().kind == ErrorKind::Timeout);
  CHECK(rig.port.count("AT+CPIN=") == 1);
}

TEST_CASE("a wrong PIN is never tried twice: a third one would lock the SIM") {
  Rig rig(Settings{.pin = "1234"});
  rig.port.always("AT+QPINC", FakePort::framed(kUnknownCommand));
  rig.port.always("AT+CPIN?", FakePort::framed({"+CPIN: SIM PIN", "OK"}));
  rig.port.always("AT+CPIN=", FakePort::framed({"+CME ERROR: 16"}));
  const auto first = rig.unlockSim();
  REQUIRE_FALSE(first);
  CHECK(first.error().text() == "module.pin: the SIM refused it: +CME ERROR: 16 (refused)");
  const auto second = rig.unlockSim();
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Invalid);
  CHECK(rig.port.count("AT+CPIN=") == 1);
}

TEST_CASE("a PIN whose answer was lost is given once more, and not a third time") {
  Rig rig(Settings{.pin = "1234"});
  rig.port.always("AT+QPINC", FakePort::framed(kUnknownCommand));
  rig.port.always("AT+CPIN?", FakePort::framed({"+CPIN: SIM PIN", "OK"}));
  rig.port.always("AT+CPIN=", "");  // it may have been refused
  rig.port.alwaysOk("AT");
  for (int i = 0; i < 2; ++i) {
    const auto done = rig.unlockSim();
    REQUIRE_FALSE(done);
    // No error tells the PIN itself.
    CHECK(done.error().text() == "module.pin: no answer (timeout)");
    CHECK(run(rig.loop, rig.channel.resync()));
  }
  CHECK(rig.unlockSim().error().kind == ErrorKind::Invalid);
  CHECK(rig.port.count("AT+CPIN=") == 2);
}

TEST_CASE("a refused PIN is remembered beyond one module object: a device that comes back is the same SIM") {
  const Settings settings{.pin = "1234"};
  Rig first(settings);
  first.port.awaits("AT+CPIN?")
      .lines({"+CPIN: SIM PIN", "OK"})
      .awaits(R"(AT+QPINC="SC")")
      .lines(kUnknownCommand)
      .awaits(R"(AT+CPIN="1234")")
      .lines({"+CME ERROR: 16"});
  CHECK_FALSE(first.unlockSim());
  Rig second(settings);
  second.port.awaits("AT+CPIN?").lines({"+CPIN: SIM PIN", "OK"});
  CHECK(second.unlockSim().error().kind == ErrorKind::Invalid);
  CHECK(second.port.trouble() == "");
}

TEST_CASE("a PIN that is needed and not configured, or that cannot be sent") {
  Rig none;
  none.port.awaits("AT+CPIN?").lines({"+CPIN: SIM PIN", "OK"});
  CHECK(none.unlockSim().error().kind == ErrorKind::Invalid);
  Rig bad(Settings{.pin = "1\r2"});
  bad.port.awaits("AT+CPIN?").lines({"+CPIN: SIM PIN", "OK"});
  bad.port.awaits(R"(AT+QPINC="SC")").lines(kUnknownCommand);
  CHECK(bad.unlockSim().error().kind == ErrorKind::Invalid);
  CHECK(bad.port.count("AT+CPIN=") == 0);
}

TEST_CASE("a SIM that asks for its PUK is left alone") {
  for (const Lines& answer : {Lines{"+CPIN: SIM PUK", "OK"}, Lines{"+CME ERROR: 12"}}) {
    Rig rig(Settings{.pin = "1234"});
    rig.port.awaits("AT+CPIN?").lines(answer);
    CHECK(rig.unlockSim().error().kind == ErrorKind::Invalid);
    CHECK(rig.port.heard() == Lines{"AT+CPIN?"});
  }
}

TEST_CASE("registration at home and roaming") {
  for (const char* line : {"+CGREG: 0,1", "+CGREG: 0,5", "+CGREG: 2,1,\"0C29\",\"3F2A\"", "+CGREG:0,5"}) {
    Rig rig;
    rig.port.awaits("AT+CGREG?").lines({"+CGREG: 0,2", "OK"}).awaits("AT+CGREG?").lines({"ERROR"});
    rig.port.awaits("AT+CGREG?").lines({line, "OK"});
    CHECK(run(rig.loop, rig.module.awaitRegistration(60s)));
    CHECK(rig.module.radio().registered());
    CHECK(rig.loop.now() >= async::TimePoint(1s));
  }
}

TEST_CASE("a network that is not found, or that denies") {
  Rig rig;
  rig.port.always("AT+CGREG?", FakePort::framed({"+CGREG: 0,2", "OK"}));
  auto done = run(rig.loop, rig.module.awaitRegistration(30s));
  REQUIRE_FALSE(done);
  CHECK(done.error().reply == "no network was found");
  rig.port.always("AT+CGREG?", FakePort::framed({"+CGREG: 0,3", "OK"}));
  done = run(rig.loop, rig.module.awaitRegistration(30s));
  REQUIRE_FALSE(done);
  CHECK(done.error().reply == "the network denies registration");
  Rig silent;
  silent.port.awaits("AT+CGREG?");
  CHECK(run(silent.loop, silent.module.awaitRegistration(30s)).error().what == "AT+CGREG?");
}

TEST_CASE("a context with six sockets, pull receiving and an address") {
  Rig rig(Settings{.apn = "internet", .user = "u", .password = "p"});
  rig.port.awaits("AT+QIFGCNT=0").ok();
  rig.port.awaits("AT+QIMUX?").lines({"+QIMUX: 0", "OK"}).awaits("AT+QIMUX=1").ok();
  rig.port.awaits("AT+QISTATE").says(stackIn("IP GPRSACT")).awaits("AT+QIDEACT").lines({"DEACT OK"}, 3s);
  rig.port.awaits(R"(AT+QICSGP=1,"internet","u","p")").ok();
  rig.port.awaits("AT+QIMODE=0").ok().awaits("AT+QIDNSIP=0").ok().awaits("AT+QINDI=2").ok();
  rig.port.awaits("AT+QISDE=0").ok().awaits("AT+QIPROMPT=1").ok().awaits("AT+QISRVC=1").ok();
  rig.port.awaits("AT+QCFG=\"TCP/BufferRemain\",1").lines({"ERROR"});
  rig.port.awaits("AT+QIREGAPP")
      .ok()
      .awaits("AT+QIACT")
      .lines({"OK"}, 140s)
      .awaits("AT+QILOCIP")
      .lines({"10.1.2.3"});
  CHECK(rig.activate());
  CHECK(rig.port.trouble() == "");
  CHECK(rig.module.address() == 0x0a010203u);
  CHECK(rig.module.indication() == Indication::PerPacket);
}

TEST_CASE("AT+QILOCIP has no OK, and nobody waits for one") {
  Rig rig;
  rig.obey();
  const auto begin = rig.loop.now();
  CHECK(rig.activate());
  CHECK(rig.loop.now() - begin < 1s);
}

TEST_CASE("an APN without user and password; and none at all") {
  Rig rig;
  rig.obey();
  CHECK(rig.activate());
  CHECK(rig.port.count("AT+QICSGP=1,\"internet\"") == 1);
  Rig none(Settings{});
  none.obey();
  CHECK(none.activate());
  CHECK(none.port.count("AT+QICSGP") == 0);
}

TEST_CASE("the context that is configured is the one in the foreground") {
  Rig rig(Settings{.context = 1});
  rig.obey();
  CHECK(rig.activate());
  CHECK(rig.port.heard().front() == "AT+QIFGCNT=1");
}

TEST_CASE("firmware without sizes of packets: AT+QINDI=2 refused, then 1") {
  Rig rig;
  rig.obey();
  rig.port.always("AT+QINDI=2", FakePort::framed({"ERROR"}));
  rig.port.alwaysOk("AT+QINDI=1");
  CHECK(rig.activate());
  CHECK(rig.module.indication() == Indication::Edge);
  CHECK(rig.port.count("AT+QINDI=1") == 1);
}

TEST_CASE("multiplexing that is on already is not set again: some firmware refuses that") {
  Rig rig;
  rig.obey();
  rig.port.always("AT+QIMUX?", FakePort::framed({"+QIMUX: 1", "OK"}));
  CHECK(rig.activate());
  CHECK(rig.port.count("AT+QIMUX=1") == 0);
}

TEST_CASE("in IP INITIAL there is no context to leave, and AT+QIDEACT is not asked") {
  Rig rig;
  rig.obey();
  rig.port.always("AT+QISTATE", stackIn("IP INITIAL"));
  CHECK(rig.activate());
  CHECK(rig.port.count("AT+QIDEACT") == 0);
}

TEST_CASE("a firmware that says nothing to AT+QISTATE in IP INITIAL comes up within five seconds") {
  Rig rig;
  rig.obey();
  rig.port.alwaysOk("AT");
  rig.port.always("AT+QISTATE", "");
  CHECK(rig.activate());
  CHECK(rig.port.count("AT+QIDEACT") == 0);
  CHECK(rig.loop.now() < async::TimePoint(5s));
}

TEST_CASE("a context of single mode: AT+QIMUX=1 is refused until it is gone") {
  Rig rig;
  rig.port.awaits("AT+QIFGCNT=0").ok().awaits("AT+QIMUX?").lines({"+QIMUX: 0", "OK"});
  rig.port.awaits("AT+QIMUX=1").lines({"ERROR"}).awaits("AT+QIDEACT").lines({"DEACT OK"});
  rig.port.awaits(R"(AT+QICSGP=1,"internet")").ok().awaits("AT+QIMUX?").lines({"+QIMUX: 0", "OK"});
  rig.port.awaits("AT+QIMUX=1").ok();
  rig.obey();
  CHECK(rig.activate());
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("the last try of a PIN is not taken where the module can say that it is the last") {
  Rig rig(Settings{.pin = "1234"});
  rig.port.always("AT+CPIN?", FakePort::framed({"+CPIN: SIM PIN", "OK"}));
  rig.port.always("AT+QPINC", FakePort::framed({R"(+QPINC: "SC",1,10)", "OK"}));
  CHECK(rig.unlockSim().error().kind == ErrorKind::Invalid);
  CHECK(rig.port.count("AT+CPIN=") == 0);
  rig.port.always("AT+QPINC", FakePort::framed({R"(+QPINC: "SC",2,10)", "OK"}));
  rig.port.alwaysOk("AT+CPIN=");
  CHECK_FALSE(rig.unlockSim());
  CHECK(rig.port.count("AT+CPIN=") == 1);
}

TEST_CASE("who remembers refused PINs is told of one") {
  Settings settings{.pin = "1234"};
  int told = 0;
  settings.pin_memory->on_refused = [&told] { ++told; };
  Rig rig(settings);
  rig.port.always("AT+CPIN?", FakePort::framed({"+CPIN: SIM PIN", "OK"}));
  rig.port.always("AT+QPINC", FakePort::framed(kUnknownCommand));
  rig.port.always("AT+CPIN=", FakePort::framed({"+CME ERROR: 16"}));
  CHECK_FALSE(rig.unlockSim());
  CHECK_FALSE(rig.unlockSim());
  CHECK(told == 1);
}

TEST_CASE("no context to leave: AT+QIDEACT refused is no failure") {
  Rig rig;
  rig.obey();
  rig.port.always("AT+QIDEACT", FakePort::framed({"ERROR"}));
  CHECK(rig.activate());
}

TEST_CASE("what an activation cannot do without") {
  for (const char* text : {"AT+QIFGCNT", "AT+QICSGP", "AT+QIMUX=1", "AT+QIMODE=0", "AT+QIDNSIP=0",
                           "AT+QIREGAPP", "AT+QIACT", "AT+QILOCIP"}) {
    Rig rig;
    rig.obey();
    rig.port.always(text, FakePort::framed({"+CME ERROR: 3"}));
    const auto done = rig.activate();
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == ErrorKind::Refused);
    CHECK(done.error().what.starts_with(text));
    CHECK(rig.module.address() == 0);
  }
}

TEST_CASE("silence ends an activation wherever it falls") {
  for (const char* text : {"AT+QIDEACT", "AT+QINDI=2", "AT+QISDE=0"}) {
    Rig rig;
    rig.obey();
    rig.port.always(text, "");
    const auto done = rig.activate();
    REQUIRE_FALSE(done);
    CHECK(done.error().kind == ErrorKind::Timeout);
  }
  Rig rig;
  rig.obey();
  rig.port.always("AT+QINDI=2", FakePort::framed({"ERROR"}));
  rig.port.always("AT+QINDI=1", FakePort::framed({"ERROR"}));
  CHECK(rig.activate().error().what == "AT+QINDI=1");
}

TEST_CASE("no error of an activation tells the password") {
  Rig rig(Settings{.apn = "internet", .user = "u", .password = "secret"});
  rig.obey();
  rig.port.always("AT+QICSGP", FakePort::framed({"ERROR"}));
  CHECK(rig.activate().error().text().find("secret") == std::string::npos);
}

TEST_CASE("an APN, user or password that could end its line never reaches the port") {
  for (const Settings& settings : {Settings{.apn = "a\"b"}, Settings{.apn = "a", .user = "u\rAT"},
                                   Settings{.apn = "a", .password = "p\x1a"}}) {
    Rig rig(settings);
    rig.obey();
    CHECK(rig.activate().error().kind == ErrorKind::Invalid);
    CHECK(rig.port.count("AT+QICSGP") == 0);
  }
}

TEST_CASE("a deactivation takes its time, and the address is gone") {
  Rig rig;
  rig.obey();
  CHECK(rig.activate());
  rig.port.always("AT+QIDEACT", FakePort::framed({"DEACT OK"}), 40s);
  CHECK(run(rig.loop, rig.module.deactivate()));
  CHECK(rig.module.address() == 0);
}

TEST_CASE("signal, operator and registration") {
  Rig rig;
  rig.port.awaits("AT+CSQ").lines({"+CSQ: 17,0", "OK"}).awaits("AT+CGREG?").lines({"+CGREG: 0,5", "OK"});
  rig.port.awaits("AT+COPS?").lines({R"(+COPS: 0,0,"CHINA MOBILE")", "OK"});
  CHECK(run(rig.loop, refresh(rig.module)));
  CHECK(rig.module.radio().rssi_dbm == -79);
  CHECK(rig.module.radio().registration == 5);
  CHECK(rig.module.radio().network == "CHINA MOBILE");
}

TEST_CASE("what the module refuses to tell stays as it was; what it does not know is not known") {
  Rig rig;
  rig.port.awaits("AT+CSQ").lines({"+CSQ: 20,0", "OK"}).awaits("AT+CGREG?").lines({"+CGREG: 0,1", "OK"});
  rig.port.awaits("AT+COPS?").lines({R"(+COPS: 0,0,"A")", "OK"});
  rig.port.awaits("AT+CSQ")
      .lines({"ERROR"})
      .awaits("AT+CGREG?")
      .lines({"ERROR"})
      .awaits("AT+COPS?")
      .lines({"ERROR"});
  CHECK(run(rig.loop, refresh(rig.module)));
  CHECK(run(rig.loop, refresh(rig.module)));
  CHECK(rig.module.radio().rssi_dbm == -73);
  CHECK(rig.module.radio().registered());
  CHECK(rig.module.radio().network == "A");
  rig.port.awaits("AT+CSQ").lines({"+CSQ: 99,99", "OK"}).awaits("AT+CGREG?").ok();
  rig.port.awaits("AT+COPS?").lines({"+COPS: 0", "OK"});
  CHECK(run(rig.loop, refresh(rig.module)));
  CHECK_FALSE(rig.module.radio().rssi_dbm);
  CHECK(rig.module.radio().network == "A");
}
