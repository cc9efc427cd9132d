// A TCP session with a program on one side; on the other the test is the module.
#pragma once

#include "qimux/async/virtual_loop.hpp"
#include "qimux/bridge/tcp_session.hpp"
#include "support/catch.hpp"
#include "support/fake_stream.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::bridge::test {

using qimux::test::FakeStream;
using qimux::test::Program;

struct SessionObserver final : TcpObserver {
  void connected() override { events.emplace_back("connected"); }
  void failed(Failure failure) override { events.push_back("failed " + std::string(name(failure))); }
  void taken(std::uint64_t bytes) override { taken_bytes = bytes; }
  void acknowledged(std::uint64_t bytes) override { acknowledged_bytes = bytes; }
  bool programGone() override { return gone; }
  void released() override { events.emplace_back("released"); }
  void vouched() override { ++vouchers; }
  void ended() override { events.emplace_back("ended"); }

  std::vector<std::string> events;
  std::uint64_t taken_bytes = 0;
  std::uint64_t acknowledged_bytes = 0;
  bool gone = false;
  int vouchers = 0;
};

struct SessionRig {
  Want want() { return session.want(loop.now()); }
  void open() {
    session.granted(2);
    REQUIRE(want().open);
    session.openSent(loop.now() + rules.connect_timeout);
  }
  void connect() {
    open();
    session.connected();
    session.attach(std::make_unique<FakeStream>(program));
  }
  // One AT+QISEND of what is wanted, all of it taken.
  std::string send() {
    const std::size_t size = want().send;
    REQUIRE(size > 0);
    const std::string bytes(textOf(session.payload(size)));
    session.sendDone(bytes.size());
    return bytes;
  }
  void acknowledge(std::uint64_t bytes) {
    session.counters(module::SendCounters{session.sent(), bytes, session.sent() - bytes});
  }
  void read(std::string_view bytes) {
    REQUIRE(want().read > 0);
    session.readDone(Bytes(bytes.begin(), bytes.end()));
  }
  // The module's socket is closed as wanted.
  void close() {
    REQUIRE(want().close);
    session.closed();
  }

  async::VirtualLoop loop;
  SessionRules rules;
  SessionObserver observer;
  std::shared_ptr<Program> program = std::make_shared<Program>();
  int wakes = 0;
  TcpSession session{loop, rules, 1, net::Endpoint{0x0a000001, 80}, observer, [this] { ++wakes; }};
};

}  // namespace qimux::bridge::test
