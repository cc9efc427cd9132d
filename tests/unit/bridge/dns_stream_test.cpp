#include "qimux/bridge/dns_stream.hpp"

#include "qimux/bridge/dns_message.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::bridge;

TEST_CASE("messages come whole, however the stream is cut") {
  const std::vector<Bytes> sent = {Bytes(1, 7), Bytes(300, 8), Bytes(kMaxDnsQuery, 9)};
  Bytes stream;
  for (const Bytes& message : sent) {
    const Bytes framed = DnsStream::frame(message);
    CHECK(framed.size() == message.size() + 2);
    stream.insert(stream.end(), framed.begin(), framed.end());
  }
  for (const std::size_t chunk : {1u, 2u, 3u, 7u, 301u, 4000u, 5000u}) {
    CAPTURE(chunk);
    DnsStream reader;
    std::vector<Bytes> got;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      const ByteView rest = ByteView(stream).subspan(at);
      for (Bytes& message : reader.feed(rest.first(std::min(chunk, rest.size()))))
        got.push_back(std::move(message));
    }
    CHECK(got == sent);
    CHECK_FALSE(reader.failed());
  }
}

TEST_CASE("a length of 0 or beyond a question's ends the stream, after what came before it") {
  const Bytes bad = GENERATE(Bytes{0, 0}, Bytes{0x10, 0x01}, Bytes{0xff, 0xff});
  Bytes stream = DnsStream::frame(Bytes{1, 2, 3});
  stream.insert(stream.end(), bad.begin(), bad.end());
  DnsStream reader;
  CHECK(reader.feed(stream) == std::vector<Bytes>{Bytes{1, 2, 3}});
  CHECK(reader.failed());
  CHECK(reader.feed(DnsStream::frame(Bytes{1})).empty());
}

TEST_CASE("the length comes first, upper byte first") {
  CHECK(DnsStream::frame(Bytes{5, 6}) == Bytes{0, 2, 5, 6});
  const Bytes framed = DnsStream::frame(Bytes(0x1234, 0));
  CHECK(framed[0] == 0x12);
  CHECK(framed[1] == 0x34);
}
