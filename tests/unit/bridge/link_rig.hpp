// A link over scripted devices on the virtual clock: each open gives a module that does as it is told.
#pragma once

#include "qimux/bridge/link.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::bridge::test {

using State = LinkState;
using States = std::vector<State>;

// A module that does as it is told.
inline void obey(FakePort& port) {
  port.alwaysOk("AT");
  port.always("AT+CPIN?", FakePort::framed({"+CPIN: READY", "OK"}));
  port.always("AT+CGREG?", FakePort::framed({"+CGREG: 0,1", "OK"}));
  port.always("AT+QIMUX?", FakePort::framed({"+QIMUX: 1", "OK"}));
  port.always("AT+QIDEACT", FakePort::framed({"DEACT OK"}));
  port.always("AT+QILOCIP", FakePort::framed({"10.1.2.3"}));
  port.always("AT+QISTATE", stateList());
  port.always("AT+CSQ", FakePort::framed({"+CSQ: 17,0", "OK"}));
  port.always("AT+COPS?", FakePort::framed({R"(+COPS: 0,0,"A")", "OK"}));
  port.always("AT+QICLOSE=0", FakePort::framed({"0, CLOSE OK"}));
  port.always("AT+QICLOSE=1", FakePort::framed({"1, CLOSE OK"}));
}

// A port whose end is told to the test.
class Watched final : public serial::Port {
 public:
  Watched(std::unique_ptr<FakePort> inner, FakePort** shown) : inner_(std::move(inner)), shown_(shown) {
    *shown_ = inner_.get();
    inner_->onData([this](ByteView bytes) { deliver(bytes); });
    inner_->onLost([this](Error error) { reportLost(std::move(error)); });
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() override { *shown_ = nullptr; }
  Result<void> write(ByteView bytes) override { return inner_->write(bytes); }
  Result<void> setLine(serial::ModemLine line, bool on) override { return inner_->setLine(line, on); }
  Result<void> setRate(int baud) override { return inner_->setRate(baud); }

 private:
  std::unique_ptr<FakePort> inner_;
  FakePort** shown_;
};

struct LinkRig {
  explicit LinkRig(module::Settings settings = {}) : LinkRig(LinkOptions{.module = std::move(settings)}) {}
  explicit LinkRig(LinkOptions options)
      : mux(loop, MultiplexerOptions()), link(loop, mux, std::move(options), [this] { return open(); }) {
    link.onChange([this](State state) {
      states.push_back(state);
      CHECK(state == link.state());
    });
  }
  Result<std::unique_ptr<serial::Port>> open() {
    ++opens;
    if (!present) return std::unexpected(Error{ErrorKind::System, "/dev/gsm0", "No such file or directory"});
    auto made = std::make_unique<FakePort>(loop);
    made->record(heard);
    obey(*made);
    if (prepare) prepare(*made);
    return std::make_unique<Watched>(std::move(made), &port);
  }
  void start() {
    link.start();
    loop.runFor(5s);
  }
  void stop(async::Duration drain = 5s) {
    link.stop(drain, [this] { ++stopped; });
  }
  long count(std::string_view prefix) const {
    return std::ranges::count_if(heard, [&](const auto& line) { return line.starts_with(prefix); });
  }

  async::VirtualLoop loop;
  Multiplexer mux;
  bool present = true;
  std::function<void(FakePort&)> prepare;
  FakePort* port = nullptr;  // null while the device is free
  std::vector<std::string> heard;
  States states;
  int opens = 0;
  int stopped = 0;
  Link link;
};

}  // namespace qimux::bridge::test
