// The command line of qimuxctl.
#include "qimux/ctl/command.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <string>

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
    {"monitor", "The link and its sockets with their rates, every second until interrupted"},
    {"version", "The version of the running daemon"},
};

constexpr const char* kFooter =
    "Exit status: 0 done, 1 the answer is no or the time is over, 2 wrong usage, 3 no daemon to talk to.";

void addVerbs(CLI::App& app, Command& command, double& timeout) {
  for (const VerbHelp& verb : kPlain) app.add_subcommand(verb.name, verb.help);
  auto* at = app.add_subcommand("at", "Put a command that asks to the module, as AT+CSQ");
  at->add_option("COMMAND", command.argument, "an AT command that changes nothing")->required();
  auto* dns = app.add_subcommand("dns", "Let the module look up a name");
  dns->add_option("NAME", command.argument, "a host name")->required();
  auto* ping = app.add_subcommand("ping", "Let the module ask a host for an echo");
  ping->add_option("ADDRESS", command.argument, "an IPv4 address")->required();
  auto* level = app.add_subcommand("log-level", "Show, or set, how much the daemon logs");
  level->add_option("LEVEL", command.argument, "error, warning, notice, info or debug");
  auto* wait =
      app.add_subcommand("wait-online", "Wait until the link is online, and for the daemon before that");
  wait->add_option("--timeout", timeout, "seconds; without it, for ever")
      ->check(CLI::Range(0.0, kLongestWait));
}

int runProgram(int argc, char** argv) {
  Command command;
  double timeout = -1;
  CLI::App app("Asks a running qimuxd.", "qimuxctl");
  app.set_version_flag("--version", "qimuxctl " QIMUX_VERSION);
  app.add_option("--socket", command.socket, "where the daemon listens")->capture_default_str();
  app.add_flag("--json", command.json, "the daemon's JSON as it is, instead of text");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  addVerbs(app, command, timeout);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? qimux::ctl::kOk : qimux::ctl::kUsage;
  }
  constexpr double kMilli = 1000;
  if (timeout >= 0) command.timeout = std::chrono::milliseconds(static_cast<long>(timeout * kMilli));
  command.verb = app.get_subcommands().front()->get_name();
  return run(command, *qimux::ctl::openConsole());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return runProgram(argc, argv);
  } catch (const std::exception& error) {
    // A defect of ours, or no memory.
    std::cerr << "qimuxctl: " << error.what() << '\n';
    return qimux::ctl::kUnreachable;
  }
}
