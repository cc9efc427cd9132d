// Bytes through the sockets: blocks, announcements, buffers, acknowledgements, ends.
#include "qimux/sim/connection.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

Options slow(async::Duration rtt, std::uint64_t rate = 0) {
  Options options;
  options.rtt = rtt;
  options.rate = rate;
  return options;
}

std::string ack(std::uint64_t sent, std::uint64_t acknowledged) {
  return "\r\n+QISACK: " + std::to_string(sent) + ", " + std::to_string(acknowledged) + ", " +
         std::to_string(sent - acknowledged) + "\r\n\r\nOK\r\n";
}

// A connected socket 0 towards the far end that the test steers.
struct Connected : Rig {
  explicit Connected(Options options = {}, int indi = 1, std::string_view protocol = "TCP")
      : Rig(std::move(options)) {
    bringUp(indi);
    open(0, kQuiet, protocol, 3s);
  }
  void arrives(std::string_view bytes) { seen->peer->send(bytesOf(bytes)); }
};

}  // namespace

TEST_CASE("everything is payload: words, ends of lines, Ctrl-Z and ESC",
          "[AT+QISEND][AT+QIRD][point-4][point-11]") {
  Connected rig;
  const std::string data = std::string("\r\nOK\r\n+QIRDI: 0,1,0\r\n0, CLOSED\r\n> \x1a\x1b\0\xff", 39);
  CHECK(rig.send(0, data) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == data);
  rig.arrives(data);
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0\r\n");
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,TCP,39\r\n" + data + "\r\nOK\r\n");
}

TEST_CASE("a block takes 1 to 1460 bytes and only on a socket that is connected", "[AT+QISEND]") {
  Connected rig;
  CHECK(rig.say("AT+QISEND=0,0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISEND=0,1461") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISEND=1,5") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISEND") == "\r\nERROR\r\n");
  CHECK(rig.send(0, std::string(1460, 'x')) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received.size() == 1460);
}

TEST_CASE("without a length Ctrl-Z sends, ESC cancels, nothing fails, and more than 1460 bytes are cut",
          "[AT+QISEND][point-11]") {
  Connected rig;
  rig.say("AT+QISEND=0");
  rig.type("abc\x1b");
  CHECK(rig.after(100ms) == "\r\nOK\r\n");
  rig.say("AT+QISEND=0");
  rig.type("\x1a");
  CHECK(rig.after(100ms) == "\r\nSEND FAIL\r\n");
  CHECK(rig.seen->received.empty());
  rig.say("AT+QISEND=0");
  rig.type(std::string(2000, 'x') + "\x1a");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received.size() == 1460);
}

TEST_CASE("with esc-cancels ESC ends a block of known length, and the rest is typed into the command line",
          "[point-11]") {
  Connected rig(withQuirk(Quirk::EscCancels));
  rig.say("AT+QISEND=0,10");
  rig.type("abc\x1b");
  CHECK(rig.after(100ms) == "\r\nOK\r\n");
  CHECK(rig.seen->received.empty());
  CHECK(rig.say("AT+QISACK=0") == ack(0, 0));
}

TEST_CASE("data is echoed with AT+QISDE=1, and the prompt follows AT+QIPROMPT",
          "[AT+QISDE][AT+QIPROMPT][point-13]") {
  Connected rig;
  rig.say("AT+QISDE=1");
  rig.say("AT+QISEND=0,5");
  rig.type("hel");
  CHECK(rig.after(10ms) == "hel");
  rig.type("lo");
  CHECK(rig.after(10ms) == "lo\r\nSEND OK\r\n");
  rig.say("AT+QISDE=0;+QIPROMPT=3");
  CHECK(rig.send(0, "x") == "\r\n0, SEND OK\r\n");
  rig.say("AT+QIPROMPT=0");
  CHECK(rig.say("AT+QISEND=0,1").empty());
  rig.type("x");
  CHECK(rig.after(10ms) == "\r\nSEND OK\r\n");
  rig.say("AT+QIPROMPT=2");
  CHECK(rig.say("AT+QISEND=0,1").empty());
  rig.type("x");
  CHECK(rig.after(10ms).empty());
}

TEST_CASE("bytes behind a block are the next command", "[AT+QISEND]") {
  Connected rig;
  rig.say("AT+QISEND=0,2");
  rig.type("xxAT+CSQ\r");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
}

TEST_CASE("a block that does not fit the send buffer fails whole, and fits again as it empties",
          "[AT+QISACK][point-10]") {
  Connected rig;
  rig.seen->peer->setRoom(0);
  const std::string block(1460, 'x');
  for (int i = 0; i < 5; ++i) CHECK(rig.send(0, block) == "\r\nSEND OK\r\n");
  CHECK(rig.say("AT+QISACK=0") == ack(7300, 0));
  CHECK(rig.send(0, "y") == "\r\nSEND FAIL\r\n");
  CHECK(rig.say("AT+QISACK=0") == ack(7300, 0));
  rig.seen->peer->setRoom(100);
  rig.after(1ms);
  CHECK(rig.say("AT+QISACK=0") == ack(7300, 100));
  CHECK(rig.send(0, std::string(101, 'y')) == "\r\nSEND FAIL\r\n");
  CHECK(rig.send(0, std::string(100, 'y')) == "\r\nSEND OK\r\n");
  rig.seen->peer->setRoom(VirtualPeer::kUnlimited);
  rig.after(1ms);
  CHECK(rig.say("AT+QISACK=0") == ack(7400, 7400));
  CHECK(rig.seen->received == std::string(7300, 'x') + std::string(100, 'y'));
}

TEST_CASE("acknowledgements come a round trip later, data after half of it, connects after all of it",
          "[AT+QISACK][point-10]") {
  Rig rig(slow(1s));
  rig.bringUp();
  CHECK(rig.open(0, kQuiet, "TCP", 1s) == "\r\nOK\r\n");
  CHECK(rig.after(10ms) == "\r\n0, CONNECT OK\r\n");
  CHECK(rig.open(1, {kServer, 9}, "TCP", 1s) == "\r\nOK\r\n");
  CHECK(rig.after(10ms) == "\r\n1, CONNECT FAIL\r\n");
  CHECK(rig.send(0, "hello") == "\r\nSEND OK\r\n");  // 100 ms
  rig.after(300ms);
  CHECK(rig.seen->received.empty());
  CHECK(rig.say("AT+QISACK=0") == ack(5, 0));  // 500 ms
  rig.after(10ms);
  CHECK(rig.seen->received == "hello");
  rig.after(300ms);
  CHECK(rig.say("AT+QISACK=0") == ack(5, 0));  // 910 ms
  rig.after(100ms);
  CHECK(rig.say("AT+QISACK=0") == ack(5, 5));
  rig.seen->peer->send(bytesOf("back"));
  CHECK(rig.after(499ms).empty());
  CHECK(rig.after(1ms) == "\r\n+QIRDI: 0,1,0\r\n");
}

TEST_CASE("the rate of the air is shared by all sockets, each way by itself") {
  Rig rig(slow(0ms, 1000));
  rig.bringUp();
  rig.open(0, kQuiet);
  rig.open(1, kEcho);
  rig.send(0, std::string(1000, 'x'));
  rig.send(1, std::string(500, 'y'));
  // The first block began 300 ms ago.
  rig.after(690ms);
  CHECK(rig.seen->received.empty());
  rig.after(20ms);
  CHECK(rig.seen->received.size() == 1000);
  // Half a second up behind the other's, half a second down.
  CHECK(rig.after(980ms).empty());
  CHECK(rig.after(20ms) == "\r\n+QIRDI: 0,1,1\r\n");
}

TEST_CASE("AT+QINDI=1 announces once, and again only after everything was read",
          "[AT+QINDI][AT+QIRD][point-3]") {
  Connected rig;
  rig.arrives(std::string(149, 'x'));
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0\r\n");
  rig.arrives("y");
  CHECK(rig.after(10ms).empty());
  CHECK(rig.read(0, 100).find("TCP,100\r\n") != std::string::npos);
  rig.arrives("z");
  CHECK(rig.after(10ms).empty());
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,TCP,51\r\n" + std::string(49, 'x') + "yz\r\nOK\r\n");
  rig.arrives("a");
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,1501") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIRD=0,1,1,10") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIRD=0,2,0,10") == "\r\nERROR\r\n");
}

TEST_CASE("with edge-after-empty-read only a read that finds nothing lets it announce again", "[point-3]") {
  Connected rig(withQuirk(Quirk::EdgeAfterEmptyRead));
  rig.arrives("a");
  rig.after(10ms);
  rig.read(0);
  rig.arrives("b");
  CHECK(rig.after(10ms).empty());
  CHECK(rig.read(0).find("TCP,1\r\nb") != std::string::npos);
  CHECK(rig.read(0) == "\r\nOK\r\n");
  rig.arrives("c");
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0\r\n");
}

TEST_CASE("with lose-edge what comes while a command runs is not announced, and can still be read",
          "[point-3]") {
  Connected rig(withQuirk(Quirk::LoseEdge));
  rig.type("AT+QISACK=0\r");
  rig.loop.runFor(1ms);
  rig.arrives("a");
  CHECK(rig.after(1s) == ack(0, 0));
  CHECK(rig.read(0).find("TCP,1\r\na") != std::string::npos);
  rig.arrives("b");
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0\r\n");
}

TEST_CASE("AT+QINDI=2 announces every packet with its size and what has piled up", "[AT+QINDI][point-12]") {
  Connected rig({}, 2);
  rig.arrives(std::string(1332, 'x'));
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0,1,1332,1332\r\n");
  rig.arrives(std::string(1359, 'x'));
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0,2,1359,2691\r\n");
  rig.arrives("yz");
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0,3,2,2693\r\n");
  rig.read(0);
  rig.arrives("a");
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0,3,1,1194\r\n");
}

TEST_CASE("AT+QINDI=0 pushes, between commands only, with the heads that were asked for",
          "[AT+QISHOWRA][AT+QIHEAD]") {
  Connected rig({}, 0);
  rig.arrives("one");
  CHECK(rig.after(10ms) == "\r\n+RECEIVE: 0, 3\r\none");
  rig.say("AT+QISEND=0,1");
  rig.arrives("two");
  CHECK(rig.after(10ms).empty());
  rig.type("x");
  CHECK(rig.after(10ms) == "\r\nSEND OK\r\n\r\n+RECEIVE: 0, 3\r\ntwo");
  rig.say("AT+QISHOWRA=1;+QIHEAD=1");
  rig.arrives("four");
  CHECK(rig.after(10ms) == "\r\n+RECEIVE: 0, 4\r\nRECV FROM:198.51.100.7:2000\r\nIPD4:four");
  CHECK(rig.say("AT+QIRD=0,1,0,10") == "\r\nERROR\r\n");
}

TEST_CASE("a push waits for a line that is full, and the far end with it") {
  Connected rig({}, 0);
  rig.backlog = 5000;
  rig.arrives(std::string(20000, 'x'));
  CHECK(rig.after(1s).empty());
  CHECK(rig.seen->peer->pending() == 20000 - 16384);
  rig.backlog = 0;
  const std::string heard = rig.after(1s);
  CHECK(static_cast<std::size_t>(std::ranges::count(heard, 'x')) == 20000);
}

TEST_CASE("a full receive buffer stops the far end, and reading lets it go on", "[AT+QIRD][point-21]") {
  Connected rig;
  rig.arrives(std::string(20000, 'x'));
  rig.after(10ms);
  CHECK(rig.seen->peer->pending() == 20000 - 16384);
  rig.read(0);
  CHECK(rig.seen->peer->pending() == 20000 - 16384 - 1500);
  std::size_t total = 1500;
  for (int i = 0; i < 20; ++i) {
    const std::string heard = rig.read(0);
    const std::size_t begin = heard.find("TCP,");
    if (begin == std::string::npos) break;
    total += std::stoul(heard.substr(begin + 4));
  }
  CHECK(total == 20000);
}

TEST_CASE("UDP: datagrams keep their bounds, may be read in parts, and are lost when there is no room",
          "[AT+QIRD][point-12][point-21]") {
  Connected rig({}, 2, "UDP");
  rig.arrives("first");
  rig.arrives("second");
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0,1,5,5\r\n\r\n+QIRDI: 0,1,0,2,6,11\r\n");
  CHECK(rig.read(0, 3) == "\r\n+QIRD: 198.51.100.7:2000,UDP,3\r\nfir\r\nOK\r\n");
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,UDP,2\r\nst\r\nOK\r\n");
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,UDP,6\r\nsecond\r\nOK\r\n");
  CHECK(rig.read(0) == "\r\nOK\r\n");
  for (int i = 0; i < 20; ++i) rig.arrives(std::string(1000, 'x'));
  CHECK(rig.after(10ms).ends_with("+QIRDI: 0,1,0,16,1000,16000\r\n"));
  CHECK(rig.send(0, "there") == "\r\nSEND OK\r\n");
  CHECK(rig.send(0, "again") == "\r\nSEND OK\r\n");
  CHECK(rig.seen->datagrams == std::vector<std::string>{"there", "again"});
  CHECK(rig.say("AT+QISACK=0") == ack(10, 0));
}

TEST_CASE("with udp-concatenates one read may hold several datagrams", "[point-12]") {
  Connected rig(withQuirk(Quirk::UdpConcatenates), 1, "UDP");
  rig.arrives("first");
  rig.arrives("second");
  rig.after(10ms);
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,UDP,11\r\nfirstsecond\r\nOK\r\n");
}

TEST_CASE("the far end closes: what is there can be read, then the index is free", "[point-7]") {
  Connected rig;
  rig.arrives("last words");
  rig.seen->peer->close();
  CHECK(rig.after(10ms) == "\r\n+QIRDI: 0,1,0\r\n\r\n0, CLOSED\r\n");
  CHECK(rig.say("AT+QISEND=0,1") == "\r\nERROR\r\n");
  CHECK(rig.read(0, 4).find("TCP,4\r\nlast\r\n") != std::string::npos);
  CHECK(rig.read(0).find("TCP,6\r\n words\r\n") != std::string::npos);
  CHECK(rig.read(0) == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QICLOSE=0") == "\r\nERROR\r\n");
  CHECK(rig.open(0, kEcho) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
}

TEST_CASE("what is unread can be thrown away by AT+QICLOSE or by another AT+QIOPEN") {
  for (const bool close : {true, false}) {
    Connected rig;
    rig.arrives("x");
    rig.seen->peer->close();
    rig.after(10ms);
    if (close) CHECK(rig.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
    CHECK(rig.open(0, kEcho) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
    CHECK(rig.read(0) == "\r\nOK\r\n");
  }
}

TEST_CASE("with closed-discards unread data goes with the connection, unless TCP/BufferRemain is set",
          "[AT+QCFG][point-7]") {
  for (const bool remain : {true, false}) {
    Connected rig(withQuirk(Quirk::ClosedDiscards));
    if (remain) rig.say("AT+QCFG=\"TCP/BufferRemain\",1");
    rig.arrives("x");
    rig.seen->peer->close();
    rig.after(10ms);
    CHECK((rig.read(0) != "\r\nERROR\r\n") == remain);
  }
}

TEST_CASE("closed during a block: the block fails, and CLOSED comes behind it", "[point-7]") {
  Connected rig;
  rig.say("AT+QISEND=0,2");
  rig.type("x");
  rig.seen->peer->close();
  CHECK(rig.after(10ms).empty());
  rig.type("x");
  CHECK(rig.after(10ms) == "\r\nSEND FAIL\r\n\r\n0, CLOSED\r\n");
}

TEST_CASE("with urc-in-send it comes in the middle of the block", "[point-7]") {
  Connected rig(withQuirk(Quirk::UrcInSend));
  rig.say("AT+QISEND=0,2");
  rig.type("x");
  rig.seen->peer->close();
  CHECK(rig.after(10ms) == "\r\n0, CLOSED\r\n");
  rig.type("x");
  CHECK(rig.after(10ms) == "\r\nSEND FAIL\r\n");
}

TEST_CASE("with urc-in-send, too, what was said first comes first", "[AT+QISEND][point-5]") {
  Connected rig(withQuirk(Quirk::UrcInSend), 2);
  rig.type("AT+QISEND=0,2\r");
  rig.loop.runFor(1ms);
  // While the command still waits for its prompt.
  rig.arrives("a");
  rig.loop.runFor(5ms);
  rig.arrives("bc");
  rig.loop.runFor(5ms);
  rig.type("xx");
  CHECK(rig.after(100ms) == "\r\n> \r\n+QIRDI: 0,1,0,1,1,1\r\n\r\n+QIRDI: 0,1,0,2,2,3\r\n\r\nSEND OK\r\n");
}

TEST_CASE("a reset is CLOSED, too") {
  Connected rig;
  rig.seen->peer->reset();
  CHECK(rig.after(10ms) == "\r\n0, CLOSED\r\n");
}

TEST_CASE("AT+QICLOSE lets what was sent before it arrive", "[AT+QICLOSE]") {
  Connected rig(slow(2s, 1000));
  rig.send(0, std::string(1000, 'x'));
  CHECK(rig.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
  CHECK_FALSE(rig.seen->ended);
  rig.after(3s);
  CHECK(rig.seen->received.size() == 1000);
  CHECK(rig.seen->ended);
  CHECK_FALSE(rig.seen->was_reset);
}

TEST_CASE("spellings: each quirk changes its own line", "[point-18]") {
  Connected space(withQuirk(Quirk::UrcNoSpace));
  space.arrives("x");
  CHECK(space.after(10ms) == "\r\n+QIRDI:0,1,0\r\n");
  CHECK(space.read(0).starts_with("\r\n+QIRD:198.51.100.7:2000,TCP,1\r\n"));

  Connected closed(withQuirk(Quirk::ClosedNoSpace));
  closed.seen->peer->close();
  CHECK(closed.after(10ms) == "\r\n0,CLOSED\r\n");

  Connected send(withQuirk(Quirk::IndexedSendOk));
  CHECK(send.send(0, "x") == "\r\n0,SEND OK\r\n");

  Connected blanks(withQuirk(Quirk::QisackNoSpaces));
  CHECK(blanks.say("AT+QISACK=0") == "\r\n+QISACK: 0,0,0\r\n\r\nOK\r\n");

  Connected plain(withQuirk(Quirk::PlainCloseOk));
  CHECK(plain.say("AT+QICLOSE=0") == "\r\nCLOSE OK\r\n");

  Connected colon(withQuirk(Quirk::PdpDeactColon));
  colon.fault("pdp-deact");
  CHECK(colon.after(10ms) == "\r\n+PDP: DEACT\r\n");
}

TEST_CASE("closed-twice: the end is told again, later", "[point-7]") {
  Connected rig(withQuirk(Quirk::ClosedTwice));
  rig.seen->peer->close();
  CHECK(rig.after(1s) == "\r\n0, CLOSED\r\n\r\n0, CLOSED\r\n");
}

TEST_CASE("late-connect-fail: the outcome of a connect comes though it was closed", "[AT+QICLOSE][point-6]") {
  Connected rig(withQuirk(Quirk::LateConnectFail));
  rig.network.blackHole({{0xcb007100}, 24});
  rig.open(1, {{0xcb007101}, 80});
  CHECK(rig.say("AT+QICLOSE=1", 1s) == "\r\n1, CLOSE OK\r\n\r\n1, CONNECT FAIL\r\n");
}

TEST_CASE("chunked output is the same output in small pieces", "[point-5]") {
  Connected rig(withQuirk(Quirk::Chunked));
  rig.arrives(std::string(1500, 'x'));
  rig.after(1s);
  rig.pieces.clear();
  const std::string heard = rig.read(0);
  CHECK(heard == "\r\n+QIRD: 198.51.100.7:2000,TCP,1500\r\n" + std::string(1500, 'x') + "\r\nOK\r\n");
  CHECK(rig.pieces.size() > 20);
  for (const auto& piece : rig.pieces) CHECK(piece.size() <= 64);
}

TEST_CASE("a socket that is fed faster than the line does not keep another's few bytes back", "[AT+QINDI]") {
  struct Torrent final : VirtualPeer {
    void connected() override { send(Bytes(2'000'000, 'x')); }
  };
  Rig rig;
  rig.bringUp(0);
  rig.network.serveTcp({kServer, 99}, [] { return std::make_unique<Torrent>(); });
  rig.backlog = 5000;
  rig.open(0, {kServer, 99});
  rig.open(1, kQuiet);
  rig.seen->peer->send(bytesOf("hello"));
  rig.after(1s);
  // The line takes a little now and then.
  bool told = false;
  for (int i = 0; i < 4 && !told; ++i) {
    rig.backlog = 0;
    rig.loop.runFor(5ms);
    rig.backlog = 5000;
    told = rig.after(10ms).find("+RECEIVE: 1, 5\r\nhello") != std::string::npos;
  }
  CHECK(told);
}
