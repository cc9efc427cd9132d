// A multiplexer over a scripted module on the virtual clock, and programs that connect through it.
#pragma once

#include "qimux/async/task.hpp"
#include "qimux/async/virtual_loop.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "support/fake_port.hpp"
#include "support/fake_stream.hpp"
#include "support/run.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qimux::bridge::test {

using namespace std::chrono_literals;
using qimux::test::FakePort;
using qimux::test::FakeStream;
using qimux::test::Program;

// A program's TCP connection, from the wish to the end. Not to be moved: the session points at it.
struct Client final : TcpObserver {
  void connected() override {
    events.emplace_back("connected");
    if (session != nullptr && takes_part) session->attach(std::make_unique<FakeStream>(program));
  }
  void failed(Failure failure) override {
    events.push_back("failed " + std::string(name(failure)));
    session = nullptr;
  }
  void taken(std::uint64_t bytes) override { taken_bytes = bytes; }
  void acknowledged(std::uint64_t bytes) override { acknowledged_bytes = bytes; }
  bool programGone() override { return gone; }
  void released() override { events.emplace_back("released"); }
  void ended() override {
    events.emplace_back("ended");
    session = nullptr;
  }

  std::shared_ptr<Program> program = std::make_shared<Program>();
  TcpSession* session = nullptr;
  std::vector<std::string> events;
  std::uint64_t taken_bytes = 0;
  std::uint64_t acknowledged_bytes = 0;
  bool gone = false;
  bool takes_part = true;
};

struct Peer final : UdpObserver {
  void datagram(ByteView payload) override { datagrams.emplace_back(textOf(payload)); }
  void failed(Failure failure) override { events.push_back("failed " + std::string(name(failure))); }
  void ended() override {
    events.emplace_back("ended");
    session = nullptr;
  }
  void send(std::string_view text) { session->send(Bytes(text.begin(), text.end())); }

  UdpSession* session = nullptr;
  std::vector<std::string> datagrams;
  std::vector<std::string> events;
};

// AT+QISTATE's answer: the socket of that index is connected, the others are not.
inline std::string stateList(int connected = -1, const std::string& stack = "IP PROCESSING") {
  std::vector<std::string> list{"OK", "STATE: " + stack};
  for (int index = 0; index < module::kSockets; ++index) {
    const char* state = index == connected ? R"("TCP","10.0.0.1","80","CONNECTED")" : R"("","","","INITIAL")";
    list.push_back("+QISTATE: " + std::to_string(index) + "," + state);
  }
  list.emplace_back("OK");
  return FakePort::framed(list);
}

inline constexpr std::uint32_t kServer = 0x0a000001;  // 10.0.0.1

struct MuxRig {
  explicit MuxRig(const MultiplexerOptions& options = {})
      : port(loop), channel(loop, port), module(loop, channel, module::Settings{}), mux(loop, options) {
    channel.onUrc([this](const at::Urc& urc) { mux.onUrc(urc); });
    port.alwaysOk("AT+QIOPEN");
    port.alwaysOk("AT+QIRD");  // nothing waits
    port.always("AT+QISTATE", stateList());
    port.always("AT+QIMUX?", FakePort::framed({"+QIMUX: 1", "OK"}));
    port.always("AT+CGREG?", FakePort::framed({"+CGREG: 1,1", "OK"}));
    for (int slot = 0; slot < module::kSockets; ++slot) {
      port.always("AT+QICLOSE=" + std::to_string(slot),
                  FakePort::framed({std::to_string(slot) + ", CLOSE OK"}));
    }
  }

  void serve() { serving.emplace(loop, mux.serve(module)); }
  // What ended it.
  std::string lost() { return serving.value()->error.text(); }

  void connect(Client& client, std::uint32_t address = kServer, std::uint16_t to = 80) {
    auto session = mux.connect(net::Endpoint{address, to}, client);
    client.session = session.value_or(nullptr);
  }
  // Up to CONNECT OK. Gives the index.
  int open(Client& client, std::uint32_t address = kServer) {
    connect(client, address);
    loop.runFor(10ms);
    const int slot = client.session->slot();
    port.sayLines({std::to_string(slot) + ", CONNECT OK"});
    loop.runFor(10ms);
    return slot;
  }
  void associate(Peer& peer, std::uint32_t address = 0x08080808, std::uint16_t to = 53) {
    peer.session = mux.associate(net::Endpoint{address, to}, peer).value_or(nullptr);
  }
  int open(Peer& peer, std::uint32_t address = 0x08080808) {
    associate(peer, address);
    loop.runFor(10ms);
    const int slot = peer.session->slot();
    port.sayLines({std::to_string(slot) + ", CONNECT OK"});
    loop.runFor(10ms);
    return slot;
  }

  async::VirtualLoop loop;
  FakePort port;
  at::Channel channel;
  module::Module module;
  Multiplexer mux;
  std::optional<qimux::test::Running<Loss>> serving;
};

inline MultiplexerOptions pool(std::size_t queue, std::size_t per_destination) {
  MultiplexerOptions options;
  options.pool = PoolLimits{queue, per_destination};
  return options;
}
inline std::string prompt() {
  return "\r\n> ";
}
inline std::string sackLine(int sent, int acknowledged) {
  return FakePort::framed({"+QISACK: " + std::to_string(sent) + ", " + std::to_string(acknowledged) + ", " +
                               std::to_string(sent - acknowledged),
                           "OK"});
}
inline std::string readAnswer(const std::string& payload) {
  return "\r\n+QIRD: 10.0.0.1:80,TCP," + std::to_string(payload.size()) + "\r\n" + payload + "\r\nOK\r\n";
}

}  // namespace qimux::bridge::test
