// The command line of qimuxctl.
#include "qimux/ctl/command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

namespace {

using qimux::ctl::Command;

constexpr double kLongestWait = 1e8;

struct VerbHelp {
  const char* name;
  const char* help;
};

constexpr VerbHelp kPlain[] = {
    {"status", "The link, the module and its sockets"},
    {"sockets", "The module's six sockets, and which connection has each"},
    {"flows", "The connections of this machine's programs, also those that wait"},
    {"stats", "Counters"},
    {"recoveries", "What was done lately to mend the link"},
    {"monitor", "The link and its sockets with their rates, every second until interrupted"},
    {"version", "The version of the running daemon"},
};

constexpr const char* kFooter =
    "Exit status:\n"
    "  0  done; the answer is yes; all is fine\n"
    "  1  the answer is no, nothing was found, something is wrong, or the time is over\n"
    "  2  wrong usage\n"
    "  3  no daemon to talk to: it does not run, or this user may not\n"
    "Colours only on a terminal, and not where NO_COLOR is set.";

// What the command line says before it is a Command.
struct Words {
  std::string socket;
  std::string instance;
  std::string config;
  std::string name;
  int days = 0;
  int months = 0;
  int baud = 0;
  double timeout = -1;
  bool line = false;
};

void addQuestions(CLI::App& app, Command& command) {
  for (const VerbHelp& verb : kPlain) app.add_subcommand(verb.name, verb.help);
  auto* at = app.add_subcommand("at", "Put a command that asks to the module, as AT+CSQ");
  at->add_option("COMMAND", command.argument, "an AT command that changes nothing")->required();
  auto* dns = app.add_subcommand("dns", "Let the module look up a name");
  dns->add_option("NAME", command.argument, "a host name")->required();
  auto* ping = app.add_subcommand("ping", "Let the module ask a host for an echo");
  ping->add_option("ADDRESS", command.argument, "an IPv4 address")->required();
  auto* level = app.add_subcommand("log-level", "Show, or set, how much the daemon logs");
  level->add_option("LEVEL", command.argument, "error, warning, notice, info or debug");
}

void addUsage(CLI::App& app, Words& words) {
  auto* usage = app.add_subcommand("usage", "What the link has cost: today and this month, by whom");
  auto* days = usage->add_option("--days", words.days, "so many days, the latest")->option_text("N");
  auto* months = usage->add_option("--months", words.months, "so many months, the latest")->option_text("N");
  days->check(CLI::Range(1, 62))->excludes(months);
  months->check(CLI::Range(1, 24))->excludes(days);
}

void addActions(CLI::App& app, Command& command, Words& words) {
  const auto timeout = [&words](CLI::App* verb) {
    verb->add_option("--timeout", words.timeout, "seconds to wait; without it, for ever")
        ->option_text("SECONDS")
        ->check(CLI::Range(0.0, kLongestWait));
  };
  auto* reset = app.add_subcommand("reset", "Have the module started anew (AT+CFUN=1,1)");
  reset->add_flag("--line", words.line, "by its reset line, module.reset");
  reset->add_flag("--wait", command.wait, "until the link is online again");
  timeout(reset);
  timeout(app.add_subcommand("wait-online", "Wait until the link is online, and for the daemon before that"));
  auto* metrics = app.add_subcommand("metrics", "Everything as metrics for Prometheus");
  metrics->add_option("--textfile", command.textfile, "write them there, for node_exporter")
      ->option_text("PATH");
}

void addHelpers(CLI::App& app, Command& command, Words& words) {
  auto* probe = app.add_subcommand("probe", "Whether a module answers at a serial port; no daemon is needed");
  probe->add_option("TTY", command.argument, "the port, as /dev/ttyUSB0")->required();
  probe->add_option("--baud", words.baud, "the one rate to try, instead of the usual ones")
      ->option_text("N")
      ->check(CLI::Range(300, 921600));
  probe->add_option("--name", words.name, "the interface that it is to be (default gsm0)")
      ->option_text("NAME");
  probe->add_flag("--imei", command.imei, "ask for the module's IMEI too");
  auto* report = app.add_subcommand("bugreport", "All that is asked for first where something does not work");
  report->add_flag("--with-personal-data", command.personal_data,
                   "with numbers and addresses; user, password and PIN are never shown");
  auto* doctor =
      app.add_subcommand("doctor", "Look for what may keep the link from working, and say what to do");
  for (CLI::App* verb : {report, doctor})
    verb->add_option("--config", words.config, "the daemon's configuration file")->option_text("FILE");
}

// --instance NAME stands for a socket, a configuration and an interface.
void settle(const Words& words, Command& command) {
  if (!words.instance.empty()) {
    command.instance = words.instance;
    command.socket = "/run/qimuxd/" + words.instance + ".sock";
    command.config = "/etc/qimuxd/" + words.instance + ".toml";
  }
  if (!words.socket.empty()) command.socket = words.socket;
  if (!words.config.empty()) command.config = words.config;
  if (!words.name.empty()) command.instance = words.name;
  if (words.baud > 0) command.baud = words.baud;
  if (words.line) command.argument = "line";
  if (words.days > 0) command.argument = std::to_string(words.days) + "d";
  if (words.months > 0) command.argument = std::to_string(words.months) + "m";
  constexpr double kMilli = 1000;
  if (words.timeout >= 0)
    command.timeout = std::chrono::milliseconds(static_cast<long>(words.timeout * kMilli));
}

// One component of a path, and what an interface may be called.
std::string checkName(const std::string& name) {
  constexpr std::size_t kLongest = 15;
  const bool good =
      !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
          std::string::npos;
  return good ? std::string() : "a name is 1 to 15 letters, digits, '.', '_' and '-'";
}

// What the udev rule takes as ENV{QIMUX}: nothing else may be printed for pasting there.
std::string checkModuleName(const std::string& name) {
  constexpr std::size_t kLongest = 15;
  const bool good = !name.empty() && name.size() <= kLongest && name.front() >= 'a' && name.front() <= 'z' &&
                    name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos &&
                    name != "control";
  return good ? std::string()
              : "a module's name is a small letter and up to 14 small letters and digits, and not control";
}

int runCommandLine(int argc, char** argv) {
  Command command;
  Words words;
  CLI::App app("Asks a running qimuxd, and helps where none runs.", "qimuxctl");
  app.set_version_flag("--version", "qimuxctl " QIMUX_VERSION);
  app.add_option("--socket", words.socket, "where the daemon listens (default " + command.socket + ")")
      ->option_text("PATH");
  app.add_option("--instance", words.instance, "the daemon of that interface, qimuxd@NAME.service")
      ->option_text("NAME")
      ->check(checkName);
  app.add_flag("--json", command.json, "JSON instead of text, also of what goes wrong");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  addQuestions(app, command);
  addUsage(app, words);
  addActions(app, command, words);
  addHelpers(app, command, words);
  const auto console = qimux::ctl::openConsole();
  try {
    app.parse(argc, argv);
    if (const std::string wrong = words.name.empty() ? "" : checkModuleName(words.name); !wrong.empty())
      throw CLI::ValidationError("--name", wrong);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
    command.json = std::ranges::any_of(arguments, [](std::string_view word) { return word == "--json"; });
    if (command.json) return complain(command, *console, qimux::ctl::kUsage, error.what());
    app.exit(error);
    return qimux::ctl::kUsage;
  }
  settle(words, command);
  command.verb = app.get_subcommands().front()->get_name();
  return run(command, *console);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return runCommandLine(argc, argv);
  } catch (const std::exception& error) {
    // A defect of ours, or no memory.
    std::cerr << "qimuxctl: " << error.what() << '\n';
    return qimux::ctl::kUnreachable;
  }
}
