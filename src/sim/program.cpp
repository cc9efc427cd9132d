#include "qimux/sim/program.hpp"

#include "program_options.hpp"
#include "qimux/async/uv_loop.hpp"
#include "qimux/base/log.hpp"
#include "qimux/sim/catalogue.hpp"
#include "qimux/sim/control.hpp"
#include "qimux/sim/fault.hpp"
#include "qimux/sim/module.hpp"
#include "qimux/sim/port.hpp"
#include "qimux/sim/script.hpp"
#include "qimux/sim/socket_network.hpp"
#include "qimux/sim/uart.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

namespace qimux::sim {
namespace {

// Of a host that is ahead of the line, so much is taken from the kernel; the rest stays there and holds it
// up.
constexpr std::size_t kAhead = 128;
constexpr std::size_t kReadPaced = 64;
constexpr std::size_t kReadUnlimited = 65536;

// Flushed line by line: tests read it while it grows.
Result<Transcript::Sink> openTranscript(const std::string& path) {
  if (path.empty()) return Transcript::Sink{};
  std::shared_ptr<std::FILE> file(std::fopen(path.c_str(), "we"), [](std::FILE* open) {
    if (open != nullptr) std::fclose(open);
  });
  if (!file) return std::unexpected(systemError(path, errno));
  std::setvbuf(file.get(), nullptr, _IOLBF, 4096);
  return Transcript::Sink([file = std::move(file)](std::string_view line) {
    std::fprintf(file.get(), "%.*s\n", static_cast<int>(line.size()), line.data());
  });
}

// The parts and what ties them together.
class Program {
 public:
  Program(const Options& options, SocketNetwork::Config network, Transcript::Sink transcript)
      : network_(loop_, std::move(network)),
        rate_(options.autobaud ? 0 : options.baud),
        uart_(
            loop_, options.baud, [this](ByteView bytes) { module_.fromHost(atModuleRate(bytes)); },
            [this](ByteView bytes) { port_->write(atModuleRate(bytes)); }),
        module_(loop_, options, network_,
                Module::Host{[this](ByteView bytes) { uart_.fromModule(bytes); },
                             [this](unsigned baud) {
                               rate_ = baud;
                               uart_.setBaud(baud);
                             },
                             [this](bool held) { uart_.holdHost(held); },
                             [this] { return uart_.queuedToHost() + (port_ ? port_->waiting() : 0); }},
                std::move(transcript)),
        script_(module_) {
    uart_.onPassed([this] {
      if (uart_.queuedFromHost() <= kAhead) port_->pause(false);
    });
  }

  Result<void> openPort(const ProgramOptions& options) {
    const auto received = [this](ByteView bytes) {
      uart_.fromHost(bytes);
      if (uart_.queuedFromHost() > kAhead) port_->pause(true);
    };
    auto port = options.link.empty() ? openListener(loop_, options.listen, received)
                                     : openPty(loop_, options.link, received);
    if (!port) return std::unexpected(port.error());
    port_ = std::move(*port);
    module_.setDtr(false);
    port_->onHost([this](bool here) { module_.setDtr(here); });
    check_rate_ = options.check_rate;
    port_->setReadSize(options.module.baud == 0 ? kReadUnlimited : kReadPaced);
    return {};
  }

  Result<void> openFaults(const ProgramOptions& options) {
    if (!options.script.empty()) {
      std::ifstream file(options.script);
      if (!file) return std::unexpected(systemError(options.script, errno));
      const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      if (auto loaded = script_.load(text); !loaded) {
        Error error = loaded.error();
        error.what = options.script + ": " + error.what;
        return std::unexpected(std::move(error));
      }
    }
    if (options.control.empty()) return {};
    auto control = openControl(loop_, options.control, module_);
    if (!control) return std::unexpected(control.error());
    control_ = std::move(*control);
    return {};
  }

  void run() {
    const auto terminate = loop_.onSignal(SIGTERM, [this] { loop_.stop(); });
    const auto interrupt = loop_.onSignal(SIGINT, [this] { loop_.stop(); });
    loop_.run();
  }

 private:
  // What is left of bytes that were sent at one rate and heard at another. A module that finds the rate out
  // by itself hears any.
  ByteView atModuleRate(ByteView bytes) {
    const unsigned host = port_->hostBaud();
    if (!check_rate_ || rate_ == 0 || host == 0 || host == rate_) return bytes;
    garbage_.clear();
    for (const Byte byte : bytes) garbage_.push_back(static_cast<Byte>(byte * 37 | 0x80));
    return garbage_;
  }

  async::UvLoop loop_;
  std::unique_ptr<Port> port_;
  SocketNetwork network_;
  unsigned rate_;
  bool check_rate_ = false;
  Bytes garbage_;
  Uart uart_;
  Module module_;
  Script script_;
  std::unique_ptr<ControlServer> control_;
};

Result<void> tryRun(const ProgramOptions& options) {
  if (auto port = checkPort(options); !port) return port;
  auto module_options = moduleOptions(options);
  if (!module_options) return std::unexpected(module_options.error());
  auto network = networkConfig(options);
  if (!network) return std::unexpected(network.error());
  auto transcript = openTranscript(options.transcript);
  if (!transcript) return std::unexpected(transcript.error());
  Program program(*module_options, std::move(*network), std::move(*transcript));
  if (auto opened = program.openFaults(options); !opened) return opened;
  // Last: whoever sees the port may use everything.
  if (auto opened = program.openPort(options); !opened) return opened;
  program.run();
  return {};
}

std::string firmwaresWith(Quirk quirk) {
  std::string names;
  for (const auto firmware : {Firmware::Note, Firmware::M95, Firmware::Mc60}) {
    if (!quirksOf(firmware).has(quirk)) continue;
    if (!names.empty()) names += ", ";
    names += name(firmware);
  }
  return names;
}

}  // namespace

std::string listQuirks() {
  std::string text;
  for (const auto& quirk : quirks()) {
    text += fmt::format("{:<24} {}\n{:<24}   seen: {}\n", quirk.name, quirk.what, "", quirk.seen);
    const std::string firmwares = firmwaresWith(quirk.quirk);
    if (!firmwares.empty()) text += fmt::format("{:<24}   of: {}\n", "", firmwares);
  }
  return text;
}

std::string listCommands() {
  std::string text;
  for (const auto& command : catalogue()) {
    text += fmt::format("{:<12} {} ({})\n", command.name, command.what, command.source);
  }
  return text;
}

std::string listFaults() {
  std::string text;
  for (const auto& fault : faults()) {
    text += fmt::format("{:<32} {}\n", fmt::format("{} {}", fault.verb, fault.arguments), fault.what);
  }
  return text;
}

int runProgram(const ProgramOptions& options) {
  const auto result = tryRun(options);
  if (result) return 0;
  log::error(result.error().text());
  return 1;
}

}  // namespace qimux::sim
