#include "qimux/at/urc.hpp"

#include "support/catch.hpp"

#include <string>

using namespace qimux;
using at::parseUrc;
using at::Urc;
using Kind = Urc::Kind;

namespace {

Urc parse(std::string_view line) {
  return parseUrc(line, false);
}

}  // namespace

TEST_CASE("a result with an index, with and without the blank") {
  for (const char* line : {"2, CONNECT OK", "2,CONNECT OK", "2,  CONNECT OK "}) {
    CHECK(parse(line).kind == Kind::ConnectOk);
    CHECK(parse(line).index == 2);
  }
  CHECK(parse("0, CONNECT FAIL").kind == Kind::ConnectFail);
  CHECK(parse("5,CLOSED").kind == Kind::Closed);
  CHECK(parse("5,CLOSED").index == 5);
  CHECK(parse("0, CLOSED").kind == Kind::Closed);
}

TEST_CASE("an index that no module has makes a line unknown") {
  CHECK(parse("6, CLOSED").kind == Kind::Unknown);
  CHECK(parse("12, CLOSED").kind == Kind::Unknown);
  CHECK(parse("-1, CLOSED").kind == Kind::Unknown);
}

TEST_CASE("the spellings of a single socket say nothing with six") {
  for (const char* line : {"CLOSED", "CONNECT OK", "CONNECT FAIL"}) {
    CHECK(parse(line).kind == Kind::Unknown);
    CHECK(parse(line).index == -1);
  }
}

TEST_CASE("a refused open may be without an index") {
  CHECK(parse("ALREADY CONNECT").kind == Kind::AlreadyConnect);
  CHECK(parse("ALREADY CONNECT").index == -1);
  CHECK(parse("3, ALREADY CONNECT").index == 3);
}

TEST_CASE("nothing is matched as part of a line") {
  for (const char* line : {"0, CONNECT OK!", "xRDY", "RDY2", "0, CLOSED by peer", "CLOSE OK", "0, CLOSE OK",
                           "SEND OK", "DEACT OK", "PDP DEACT", "OK", "+QIRDIX: 0,1,0"}) {
    CHECK(parse(line).kind == Kind::Unknown);
    CHECK(parse(line).text == line);
  }
}

TEST_CASE("an arrival, with and without the blank") {
  for (const char* line : {"+QIRDI: 0,1,4", "+QIRDI:0,1,4", "+QIRDI:  0, 1, 4"}) {
    const Urc urc = parse(line);
    CHECK(urc.kind == Kind::DataArrived);
    CHECK(urc.index == 4);
    CHECK(urc.role == 1);
    CHECK_FALSE(urc.backlog);
  }
  CHECK(parse("+QIRDI: 0,2,1").role == 2);
}

TEST_CASE("an arrival with the sizes of packets") {
  // As an MC60 told of three packets of one socket.
  const Urc urc = parse("+QIRDI: 0,1,0,3,2,2693");
  REQUIRE(urc.kind == Kind::DataArrived);
  REQUIRE(urc.backlog);
  CHECK(urc.backlog->packets == 3);
  CHECK(urc.backlog->newest == 2);
  CHECK(urc.backlog->total == 2693);
}

TEST_CASE("an arrival that makes no sense is unknown") {
  for (const char* line :
       {"+QIRDI: 0,1,6", "+QIRDI: 0,3,0", "+QIRDI: 0,1", "+QIRDI:", "+QIRDI: 0,1,0,1", "+QIRDI: 0,1,0,1,2,x",
        "+QIRDI: 0,1,0,1,2,99999999999", "+QIRDI: 0,1,-1", "+QIRDI: 0,1,0,1,2,3,4"}) {
    CHECK(parse(line).kind == Kind::Unknown);
  }
}

TEST_CASE("pushed data is recognised, though it is not wanted") {
  const Urc urc = parse("+RECEIVE: 1, 512");
  CHECK(urc.kind == Kind::Pushed);
  CHECK(urc.index == 1);
  CHECK(urc.value == 512);
  CHECK(parse("+RECEIVE: 6, 512").kind == Kind::Unknown);
  CHECK(parse("+RECEIVE: 1").kind == Kind::Unknown);
  CHECK(parse("+RECEIVE: 1, x").kind == Kind::Unknown);
}

TEST_CASE("a client of a server socket has an address and no port") {
  const Urc urc = parse("0, REMOTE IP: 10.194.83.12");
  CHECK(urc.kind == Kind::RemoteIp);
  CHECK(urc.index == 0);
  CHECK(urc.address == 0x0ac2530cu);
  CHECK(parse("REMOTE IP: 10.194.83.12").kind == Kind::Unknown);
  CHECK(parse("0, REMOTE IP: x").kind == Kind::Unknown);
}

TEST_CASE("the loss of the context, in both spellings") {
  CHECK(parse("+PDP DEACT").kind == Kind::PdpDeact);
  CHECK(parse("+PDP: DEACT").kind == Kind::PdpDeact);
}

TEST_CASE("what a module says while it starts") {
  CHECK(parse("RDY").kind == Kind::Ready);
  CHECK(parse("Call Ready").kind == Kind::CallReady);
  CHECK(parse("SMS Ready").kind == Kind::SmsReady);
  CHECK(parse("+CFUN: 1").kind == Kind::Functionality);
  CHECK(parse("+CFUN: 1").value == 1);
  CHECK(parse("+CPIN: READY").kind == Kind::SimState);
  CHECK(parse("+CPIN: NOT INSERTED").text == "NOT INSERTED");
}

TEST_CASE("registration by URC, short and with the cell") {
  CHECK(parse("+CREG: 5").kind == Kind::Registration);
  CHECK(parse("+CREG: 5").value == 5);
  CHECK(parse("+CGREG: 1,\"0C29\",\"3F2A\"").value == 1);
  CHECK(parse("+CREG: x").kind == Kind::Unknown);
}

TEST_CASE("switching off, also with the blank that some firmware leaves behind it") {
  CHECK(parse("NORMAL POWER DOWN").kind == Kind::PowerDown);
  CHECK(parse("UNDER_VOLTAGE POWER DOWN").kind == Kind::PowerDown);
  CHECK(parse("OVER_VOLTAGE POWER DOWN").kind == Kind::PowerDown);
  CHECK(parse("UNDER_VOLTAGE WARNING ").kind == Kind::Voltage);
  CHECK(parse("OVER_VOLTAGE WARNING").kind == Kind::Voltage);
}

TEST_CASE("a bare address is an answer only while a name is asked for") {
  CHECK(parseUrc("93.184.216.34", true).kind == Kind::DnsAddress);
  CHECK(parseUrc("93.184.216.34", true).address == 0x5db8d822u);
  CHECK(parseUrc("93.184.216.34", false).kind == Kind::Unknown);
  CHECK(parseUrc("93.184.216.300", true).kind == Kind::Unknown);
}

TEST_CASE("a name that is not found: two lines, of which none is a bare ERROR") {
  CHECK(parseUrc("ERROR: 4", true).kind == Kind::DnsError);
  CHECK(parseUrc("ERROR: 4", true).value == 4);
  CHECK(parseUrc("ERROR:5", true).value == 5);
  CHECK(parse("ERROR: 4").kind == Kind::Unknown);
  CHECK(parse("STATE: IP GPRSACT").kind == Kind::StackState);
  CHECK(parse("STATE: IP GPRSACT").text == "IP GPRSACT");
}

TEST_CASE("the echoes of AT+QPING") {
  CHECK(parse("+QPING: 0,10.0.0.1,32,712,54").kind == Kind::Ping);
  CHECK(parse("+QPING: 0,10.0.0.1,32,712,54").text == "0,10.0.0.1,32,712,54");
  CHECK(parse("+QPING:1").text == "1");
}

TEST_CASE("foreign lines are kept with their text") {
  for (const char* line : {"RING", "+CMTI: \"SM\",14", "+CSQN: 17,0", "+CGEV: NW DEACT", "AT+QIRE\x7b\xff"}) {
    CHECK(parse(line).kind == Kind::Unknown);
    CHECK(parse(line).text == line);
  }
}

TEST_CASE("the index of a line is split from it") {
  CHECK(at::splitIndex("2,SEND OK").index == 2);
  CHECK(at::splitIndex("2,SEND OK").text == "SEND OK");
  CHECK(at::splitIndex(" 2, CLOSE OK ").text == "CLOSE OK");
  CHECK(at::splitIndex("SEND OK").index == -1);
  CHECK(at::splitIndex("SEND OK").text == "SEND OK");
  CHECK(at::splitIndex("6, CLOSED").index == -1);
  CHECK(at::splitIndex("2,").index == -1);
}
