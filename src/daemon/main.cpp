// qimuxd: the command line, and the process around the Daemon.
#include "qimux/async/uv_loop.hpp"
#include "qimux/base/log.hpp"
#include "qimux/daemon/captured.hpp"
#include "qimux/daemon/config.hpp"
#include "qimux/daemon/daemon.hpp"
#include "qimux/daemon/journal.hpp"
#include "qimux/daemon/system_dns_run.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <optional>
#include <string>

namespace {

using namespace qimux;

// The exit codes that units and scripts rely on.
enum ExitCode { kStopped = 0, kBadConfiguration = 1, kNoInterface = 2, kDeviceMissing = 3 };

ExitCode exitCode(daemon::Daemon::End end) {
  switch (end) {
    case daemon::Daemon::End::Stopped:
      return kStopped;
    case daemon::Daemon::End::InterfaceGone:
      return kNoInterface;
    case daemon::Daemon::End::DeviceMissing:
      return kDeviceMissing;
  }
  return kStopped;
}

struct Arguments {
  std::optional<std::string> config;
  std::string device;
  std::string tun;
  std::string control;
  std::string log_level;
  bool check_config = false;
  std::string system_dns;
  daemon::CaptureOptions capture;
};

std::optional<int> parseArguments(int argc, char** argv, Arguments& arguments) {
  CLI::App app("Makes a GSM module's own TCP/IP stack an ordinary network interface.", "qimuxd");
  app.add_option("--config", arguments.config, "Configuration file (default /etc/qimuxd/qimuxd.toml)")
      ->option_text("FILE");
  app.add_option("--device", arguments.device, "Serial port of the module, instead of serial.device")
      ->option_text("TTY");
  app.add_option("--tun", arguments.tun, "Name of the interface, instead of tun.name")->option_text("NAME");
  app.add_option("--control", arguments.control, "Where qimuxctl finds the daemon, instead of control.socket")
      ->option_text("PATH");
  app.add_option("--log-level", arguments.log_level, "error, warning, notice, info (default) or debug")
      ->option_text("LEVEL")
      ->check(CLI::IsMember({"error", "warning", "notice", "info", "debug"}));
  app.add_flag("--check-config", arguments.check_config,
               "Check the configuration, print it with its defaults, and end");
  app.add_option("--system-dns", arguments.system_dns,
                 "Tell the machine's resolver about the daemon's name server, or take that back, and end")
      ->option_text("apply|revert")
      ->check(CLI::IsMember({"apply", "revert"}));
  app.add_option("--capture", arguments.capture.file,
                 "Write what passes the port and the interfaces to FILE, without personal data; "
                 "qimux-replay reads it")
      ->option_text("FILE");
  app.add_flag("--capture-everything", arguments.capture.everything,
               "Capture payload, addresses, names, numbers and secrets too");
  app.add_option("--capture-limit", arguments.capture.limit,
                 "Bytes after which the capture ends (default 8M)")
      ->option_text("SIZE")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(std::uint64_t{4096}, std::uint64_t{capture::kMaxFile}));
  app.set_version_flag("--version", std::string("qimuxd " QIMUX_VERSION));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kStopped : kBadConfiguration;
  }
  return std::nullopt;
}

using Complain = void (*)(const std::string& what);

// To who has started it. A service manager wants to know how bad it is.
void complain(const std::string& what) {
  if (log::toJournal()) return log::error(what);
  fmt::print(stderr, "{}\n", what);
}

void complainInLog(const std::string& what) {
  log::error("reload: " + what);
}

std::optional<daemon::Config> configuration(const Arguments& arguments, Complain say) {
  auto config = daemon::loadConfig(arguments.config);
  if (!config) {
    for (const auto& error : config.error()) say(error.text());
    return std::nullopt;
  }
  const auto override = [&](const char* key, const char* option, const std::string& value) {
    if (value.empty()) return true;
    const auto wrong = daemon::setConfigKey(*config, key, value);
    if (wrong) say(fmt::format("{}: {}", option, *wrong));
    return !wrong;
  };
  if (!override("serial.device", "--device", arguments.device)) return std::nullopt;
  if (!override("tun.name", "--tun", arguments.tun)) return std::nullopt;
  if (!override("control.socket", "--control", arguments.control)) return std::nullopt;
  return *config;
}

void setLevel(const Arguments& arguments) {
  log::setLevel(log::parseLevel(arguments.log_level).value_or(log::Level::Info));
}

// Keys that are checked and understood, but that this version does not act on: better said than found out.
void warnOfIdleKeys(const daemon::Config& config) {
  const auto warn = [](std::string_view key) {
    log::warning(fmt::format("{} is set, but has no effect in this version", key));
  };
  if (!config.listen.empty()) warn("listen");
}

// A capture that cannot be written is no reason not to serve.
std::unique_ptr<capture::Tap> tapOf(async::Loop& loop, const daemon::Config& config,
                                    const daemon::CaptureOptions& options) {
  if (options.file.empty()) return nullptr;
  auto tap = daemon::openTap(loop, config, options);
  if (!tap) log::warning("capture: " + tap.error().text());
  return tap ? std::move(*tap) : nullptr;
}

int run(const daemon::Config& config, const Arguments& arguments) {
  async::UvLoop loop;
  const auto tap = tapOf(loop, config, arguments.capture);
  ExitCode code = kStopped;
  auto made = daemon::Daemon::create(
      loop, config,
      [&](daemon::Daemon::End end) {
        code = exitCode(end);
        loop.stop();
      },
      tap.get());
  if (!made) {
    log::error(made.error().text());
    return kNoInterface;
  }
  daemon::Daemon& daemon = **made;
  const auto terminate = loop.onSignal(SIGTERM, [&] { daemon.stop(); });
  const auto interrupt = loop.onSignal(SIGINT, [&] { daemon.stop(); });
  // What was set by qimuxctl log-level is over with it.
  const auto hangup = loop.onSignal(SIGHUP, [&] {
    setLevel(arguments);
    daemon.reload([&] { return configuration(arguments, complainInLog); });
  });
  daemon.start();
  loop.run();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  Arguments arguments;
  if (const auto code = parseArguments(argc, argv, arguments)) return *code;
  const auto config = configuration(arguments, complain);
  if (!config) return kBadConfiguration;
  if (arguments.check_config) {
    fmt::print("{}", daemon::describe(*config));
    return kStopped;
  }
  setLevel(arguments);
  if (!arguments.system_dns.empty()) {
    daemon::runSystemDns(*config, arguments.system_dns == "apply");
    return kStopped;
  }
  // Not before: of a process as short as those above the journal would not know the unit, but it does of a
  // stream.
  daemon::useJournal();
  warnOfIdleKeys(*config);
  return run(*config, arguments);
}
