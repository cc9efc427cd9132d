#include "qimux/capture/at_mask.hpp"

#include "support/catch.hpp"

#include <string>

using namespace qimux;
using namespace qimux::capture;

namespace {

struct Dialogue {
  Dialogue() : stand_ins(surroundings()), mask(stand_ins) {}

  static Surroundings surroundings() {
    Surroundings made;
    made.network = net::Cidr{0x0a404001, 30};
    made.gateway = 0x0a404002;
    made.upstream = net::Endpoint{0x09090909, 53};
    return made;
  }
  std::string command(const std::string& text) {
    return std::string(textOf(mask.toModule(bytesOf(text + "\r"), false)));
  }
  std::string payload(const std::string& text) {
    return std::string(textOf(mask.toModule(bytesOf(text), true)));
  }
  std::string says(const std::string& text) { return std::string(textOf(mask.fromModule(bytesOf(text)))); }
  // An answer line, whole.
  std::string line(const std::string& text) { return says("\r\n" + text + "\r\n"); }

  StandIns stand_ins;
  AtMask mask;
};

std::string framed(const std::string& line) {
  return "\r\n" + line + "\r\n";
}

std::string fill(std::size_t size) {
  return std::string(size, 'x');
}

}  // namespace

TEST_CASE("commands that say nothing of anybody are shown") {
  Dialogue dialogue;
  for (const auto* text :
       {"AT", "ATE0", "AT+CMEE=1", "AT+CGMI", "AT+GSN", "AT+CPIN?", "AT+CGREG?", "AT+QIFGCNT=0",
        "AT+QISEND=0,1460", "AT+QIRD=0,1,0,1500", "AT+QISACK=3", "AT+QICLOSE=0",
        "AT+QCFG=\"TCP/BufferRemain\",1", "AT+CFUN=1,1", "AT+QINDI=2", "AT+IPR=115200", "AT+QPINC=\"SC\""}) {
    CHECK(dialogue.command(text) == std::string(text) + "\r");
  }
}

TEST_CASE("secrets in commands have stand-ins that the configuration has too") {
  Dialogue dialogue;
  CHECK(dialogue.command("AT+CPIN=\"4711\"") == "AT+CPIN=\"0000\"\r");
  CHECK(dialogue.command("AT+QICSGP=1,\"internet.corp\"") == "AT+QICSGP=1,\"apn\"\r");
  CHECK(dialogue.command("AT+QICSGP=1,\"a.b\",\"me\",\"pa55\"") == "AT+QICSGP=1,\"apn\",\"user\",\"***\"\r");
  CHECK(dialogue.command("AT+QICSGP=1,\"a.b\",\"\",\"pa55\"") == "AT+QICSGP=1,\"apn\",\"\",\"***\"\r");
}

TEST_CASE("addresses and names in commands have stand-ins of their length") {
  Dialogue dialogue;
  const auto shown = dialogue.command("AT+QIOPEN=0,\"TCP\",\"93.184.216.34\",80");
  CHECK(shown == "AT+QIOPEN=0,\"TCP\",\"" + net::text(dialogue.stand_ins.address(0x5db8d822)) + "\",80\r");
  CHECK(shown.find("93.184") == std::string::npos);
  CHECK(dialogue.command("AT+QIDNSGIP=\"www.example.com\"") ==
        "AT+QIDNSGIP=\"" + dialogue.stand_ins.name("www.example.com") + "\"\r");
  CHECK(dialogue.command("AT+QPING=\"93.184.216.34\",5,1").find("93.184") == std::string::npos);
}

TEST_CASE("a command that is not known shows no more than its name") {
  Dialogue dialogue;
  CHECK(dialogue.command("ATD+491701234567;") == fill(17) + "\r");
  CHECK(dialogue.command("AT+CMGS=\"+491701234567\"") == "AT+CMGS=" + fill(15) + "\r");
  CHECK(dialogue.command("AT+CIMI") == "AT+CIMI\r");
  CHECK(dialogue.command("AT+QIREGAPP=\"CORP\",\"ME\",\"SECRET\"") == "AT+QIREGAPP=" + fill(20) + "\r");
  CHECK(dialogue.command("at+cpin=\"4711\"") == fill(14) + "x");
}

TEST_CASE("answers of the stack are shown, with stand-ins for addresses") {
  Dialogue dialogue;
  for (const auto* text :
       {"OK", "ERROR", "+CME ERROR: 14", "SEND OK", "0, CONNECT OK", "3,CLOSED", "+PDP DEACT",
        "+QISACK: 1234567, 1234000, 567", "+QIRDI: 0,1,0,1,1332,1332", "+CSQ: 21,0", "RDY", "+CPIN: SIM PIN",
        "STATE: IP INITIAL", "Call Ready", "UNDER_VOLTAGE WARNING"}) {
    CHECK(dialogue.line(text) == framed(text));
  }
  const auto own = net::text(dialogue.stand_ins.address(0x5db8d822));
  CHECK(dialogue.line("93.184.216.34") == framed(own));
  CHECK(dialogue.line("+QISTATE: 0, \"TCP\", \"93.184.216.34\", \"80\", \"CONNECTED\"") ==
        framed("+QISTATE: 0, \"TCP\", \"" + own + "\", \"80\", \"CONNECTED\""));
  CHECK(dialogue.line("1, REMOTE IP: 93.184.216.34") == framed("1, REMOTE IP: " + own));
  CHECK(dialogue.line("+QPING: 0,93.184.216.34,32,712,47") == framed("+QPING: 0," + own + ",32,712,47"));
  CHECK(dialogue.line("+CGREG: 2,1,\"1A2B\",\"00C3\"") == framed("+CGREG: 2,1,\"xxxx\",\"xxxx\""));
}

TEST_CASE("numbers of people and modules are not shown") {
  Dialogue dialogue;
  dialogue.command("AT+GSN");
  CHECK(dialogue.line("861111222233334") == framed("000000000000000"));
  dialogue.command("AT+CIMI");
  CHECK(dialogue.line("262011234567890") == framed(fill(15)));
  dialogue.command("AT+QCCID");
  CHECK(dialogue.line("89490200001234567890") == framed(fill(20)));
  CHECK(dialogue.line("+CLIP: \"+491701234567\",145") == framed(fill(26)));
}

TEST_CASE("the module's make is shown, but no number in it") {
  Dialogue dialogue;
  dialogue.command("AT+CGMR");
  CHECK(dialogue.line("Revision: M95AR01A21") == framed("Revision: M95AR01A21"));
  CHECK(dialogue.line("861111222233334") == framed(fill(15)));
}

TEST_CASE("text messages are not shown, whichever way they come") {
  Dialogue dialogue;
  CHECK(dialogue.line("+CMT: \"+491701234567\",,\"22/11/26,22:40:00+04\"") == framed(fill(45)));
  CHECK(dialogue.line("Meet me at the usual place") == framed(fill(26)));
}

TEST_CASE("a known answer that was damaged stays one, with its fields") {
  Dialogue dialogue;
  CHECK(dialogue.line("+CME ERROR: SIM busy") == framed("+CME ERROR: xxx xxxx"));
  CHECK(dialogue.line("+QIRD: 93.184.216.34:80,TCP,5\x80") == framed("+QIRD: 93x184x216x34:80,xxx,5x"));
  CHECK(dialogue.line("+QISACK: 5,5\xff"
                      "0,number 491701234567") == framed("+QISACK: x,xxx,xxxxxx xxxxxxxxxxxx"));
}

TEST_CASE("half a line is kept back until it can be told what it is") {
  Dialogue dialogue;
  dialogue.command("AT+GSN");
  CHECK(dialogue.says("\r\n8611112222").empty() == false);  // the empty line before it
  CHECK(dialogue.says("33334\r").empty());
  CHECK(dialogue.says("\n") == "000000000000000\r\n");
}

TEST_CASE("a line without end is filler, and so is its rest") {
  Dialogue dialogue;
  const std::string secret = "secret ";
  std::string shown;
  for (int i = 0; i < 200; ++i) shown += dialogue.says(secret);
  shown += dialogue.says("\r\n");
  CHECK(shown.size() == 200 * secret.size() + 2);
  CHECK(shown.find("secret") == std::string::npos);
  CHECK(dialogue.line("OK") == framed("OK"));
}

TEST_CASE("what is sent behind a prompt is filler, whatever it looks like") {
  Dialogue dialogue;
  dialogue.command("AT+QIOPEN=0,\"TCP\",\"93.184.216.34\",80");
  dialogue.command("AT+QISEND=0,6");
  CHECK(dialogue.says("\r\n> ") == "\r\n>");
  CHECK(dialogue.payload("AT+A\r\r") == fill(6));
  CHECK(dialogue.line("SEND OK") == " " + framed("SEND OK"));
  // Written before the prompt it is the channel that asks whether anybody is there.
  dialogue.command("AT+QISEND=0,3");
  CHECK(dialogue.command("AT") == "AT\r");
}

TEST_CASE("a block that is read is filler in any pieces, and the answer behind it is not") {
  Dialogue dialogue;
  dialogue.command("AT+QIOPEN=0,\"TCP\",\"93.184.216.34\",80");
  dialogue.command("AT+QIRD=0,1,0,1500");
  const auto own = net::text(dialogue.stand_ins.address(0x5db8d822));
  CHECK(dialogue.says("\r\n+QIRD: 93.184.216.34:80,TCP,20\r\nOK\r\nsec") ==
        "\r\n+QIRD: " + own + ":80,TCP,20\r\n" + fill(7));
  CHECK(dialogue.says("ret\r\nERROR\r\nx") == fill(13));
  CHECK(dialogue.says("\r\nOK\r\n") == "\r\nOK\r\n");
}

TEST_CASE("a header that nobody asked for announces no block") {
  Dialogue dialogue;
  dialogue.command("AT+QISACK=0");
  dialogue.line("+QIRD: 93.184.216.34:80,TCP,20");
  CHECK(dialogue.line("OK") == framed("OK"));
}

TEST_CASE("what is said to the server for other types of records is DNS") {
  Dialogue dialogue;
  const std::string asked = std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12) +
                            "\x06secret" + std::string("\x00\x00\x10\x00\x01", 5);
  dialogue.command("AT+QIOPEN=1,\"UDP\",\"9.9.9.9\",53");
  dialogue.command("AT+QISEND=1," + std::to_string(asked.size()));
  dialogue.says("\r\n> ");
  const auto shown = dialogue.payload(asked);
  CHECK(shown.substr(0, 13) == asked.substr(0, 13));
  CHECK(shown.find("secret") == std::string::npos);
  CHECK(shown.find("xxxx") == std::string::npos);
}

TEST_CASE("asking whether anybody is there ends a block and a half line") {
  Dialogue dialogue;
  dialogue.command("AT+QIRD=0,1,0,1500");
  dialogue.says("\r\n+QIRD: 93.184.216.34:80,TCP,1500\r\nfirst of it");
  dialogue.command("AT");
  CHECK(dialogue.line("OK") == framed("OK"));
}

TEST_CASE("as many bytes are shown as have come, also where what they belong to is forgotten") {
  Dialogue dialogue;
  dialogue.command("AT+GSN");
  CHECK(dialogue.says("86111122").empty());
  dialogue.command("AT");
  CHECK(dialogue.line("OK") == fill(8) + framed("OK"));
  CHECK(dialogue.line("AT+QICSGP=1,\"corporate\",\"me\",\"pa55\"") == framed(fill(35)));
}
