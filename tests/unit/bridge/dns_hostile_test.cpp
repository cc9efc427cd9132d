// Whatever a program sends: the answerer survives it, and the port only ever sees host names.
#include "qimux/bridge/dns_answerer.hpp"
#include "support/catch.hpp"
#include "unit/bridge/dns_support.hpp"

#include <random>

using namespace qimux;
using namespace qimux::bridge;
using namespace dns_test;
using namespace std::chrono_literals;

namespace {

// Written again here, and differently: the test shall not trust what it tests.
bool mayReachThePort(const std::string& text) {
  if (text.empty() || text.size() > 241 || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string::npos) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
}

class Hostile {
 public:
  explicit Hostile(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string label() {
    static const std::vector<std::string> kNasty = {"\"",
                                                    "\r\n",
                                                    ";AT+QPOWD=1",
                                                    "\"\rAT+QPOWD=1\r",
                                                    "\x1a",
                                                    "\x1b",
                                                    "\\",
                                                    "+++",
                                                    " ",
                                                    "a\"b",
                                                    std::string(1, '\0'),
                                                    "\xff\xfe",
                                                    "xn--",
                                                    "com",
                                                    "Example",
                                                    "-",
                                                    "_tcp",
                                                    "local",
                                                    "127",
                                                    "0x7f",
                                                    "$(reboot)",
                                                    "%n%n",
                                                    "\"\n\"",
                                                    "'"};
    std::string out = kNasty[below(kNasty.size())];
    if (below(4) == 0) out += std::string(below(70), static_cast<char>('a' + below(26)));
    if (below(4) == 0) out += static_cast<char>(below(256));
    if (below(3) == 0) out = std::string(1 + below(63), static_cast<char>('A' + below(26)));
    out.resize(std::min<std::size_t>(out.size(), below(20) == 0 ? 255 : 63));
    return out;
  }

  Bytes name() {
    Bytes out;
    for (std::size_t labels = below(6) + (below(10) == 0 ? 40 : 0); labels > 0; --labels) {
      const std::string text = label();
      out.push_back(static_cast<Byte>(text.size()));
      out.insert(out.end(), text.begin(), text.end());
    }
    switch (below(12)) {
      case 0:  // a pointer: at itself, back, at the header, behind the end
        out.push_back(static_cast<Byte>(0xc0 | below(64)));
        out.push_back(static_cast<Byte>(below(256)));
        break;
      case 1:
        out.push_back(0xc0);
        out.push_back(static_cast<Byte>(12 + out.size() - 1));
        break;
      case 2:
        break;  // no end
      default:
        out.push_back(0);
    }
    return out;
  }

  Bytes message() {
    Bytes out = header(0x0100, 1, static_cast<unsigned>(below(65536)));
    const Bytes asked = name();
    out.insert(out.end(), asked.begin(), asked.end());
    put16(out, below(4) == 0 ? static_cast<unsigned>(below(65536)) : 1);
    put16(out, below(10) == 0 ? static_cast<unsigned>(below(65536)) : 1);
    if (below(4) == 0) putOpt(out, static_cast<unsigned>(below(65536)), below(10) == 0, below(2) == 0);
    if (below(5) == 0) out[below(out.size())] ^= static_cast<Byte>(1 << below(8));
    if (below(8) == 0) out.resize(below(out.size() + 1));
    return out;
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("of ten thousand hostile messages nothing but host names reaches the port") {
  Server server;
  Hostile hostile(20240229);
  std::size_t handed_out = 0;
  std::size_t replies = 0;
  for (int i = 0; i < 10'000; ++i) {
    server.ask(hostile.message(), hostile.below(2) == 0 ? DnsTransport::Udp : DnsTransport::Tcp);
    while (const auto asked = server.answerer.nextQuestion()) {
      CAPTURE(i, *asked);
      REQUIRE(mayReachThePort(*asked));
      ++handed_out;
      switch (hostile.below(3)) {
        case 0:
          server.addresses(*asked, {1, 2, 3});
          break;
        case 1:
          server.noSuchName(*asked);
          break;
        default:
          server.fail(*asked);
      }
    }
    for (const Bytes& reply : server.replies) CHECK_NOTHROW(Answer(reply));
    replies += server.replies.size();
    server.replies.clear();
    server.pass(20ms);
  }
  const DnsCounters& counters = server.answerer.counters();
  CHECK(replies == 10'000 - counters.silent);
  CHECK(server.answerer.waiting() == 0);
  // The generator is worth its name: every kind was there.
  CHECK(handed_out > 100);
  CHECK(counters.invalid_names > 1'000);
  CHECK(counters.malformed > 1'000);
  CHECK(counters.silent > 50);
}

TEST_CASE("ten thousand messages of random bytes are survived") {
  Server server;
  Hostile hostile(7);
  for (int i = 0; i < 10'000; ++i) {
    Bytes message(hostile.below(80));
    for (Byte& byte : message) byte = static_cast<Byte>(hostile.below(256));
    server.ask(message);
    while (const auto asked = server.answerer.nextQuestion()) REQUIRE(mayReachThePort(*asked));
  }
  CHECK(server.replies.size() + server.answerer.counters().silent + server.answerer.waiting() == 10'000);
}

TEST_CASE("a long chain of pointers that ends in itself is malformed") {
  // 1,900 pointers in a row; every additional record's name walks all of them.
  Bytes message = question("a.example");
  message[11] = 8;
  Bytes chain;
  for (unsigned i = 0; i < 1'900; ++i)
    put16(chain, 0xc000 | static_cast<unsigned>(message.size() + 11 + 2 * i + 2));
  message.push_back(0);
  for (int i = 0; i < 4; ++i) put16(message, 0);
  put16(message, static_cast<unsigned>(chain.size()));
  message.insert(message.end(), chain.begin(), chain.end());
  for (int i = 0; i < 7; ++i) {
    put16(message, 0xc000 | 38);
    for (int j = 0; j < 5; ++j) put16(message, 0);
  }
  const auto query = parseDnsQuery(message);
  REQUIRE(query);
  CHECK(query->error == DnsRcode::FormErr);
}
