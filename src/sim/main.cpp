// qimux-sim: the simulated module on a pseudo terminal or a socket.
#include "qimux/sim/program.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <string>
#include <utility>

using namespace qimux;

namespace {

using Options = sim::ProgramOptions;

async::Duration durationOf(const std::string& option, const std::string& given, sim::Unit unit) {
  const auto value = sim::parseDuration(option, given, unit);
  if (!value) throw CLI::ValidationError(value.error().text());
  return *value;
}

// An option in `unit` with a fraction; `what` says its default.
CLI::Option* addTime(CLI::App& app, const std::string& name, sim::Unit unit, const std::string& what,
                     std::function<void(async::Duration)> set) {
  return app
      .add_option_function<std::string>(
          name,
          [name, unit, set = std::move(set)](const std::string& given) {
            set(durationOf(name, given, unit));
          },
          what)
      ->type_name("NUMBER");
}

void addDuration(CLI::App& app, const std::string& name, async::Duration& value, sim::Unit unit,
                 const std::string& what) {
  const double scale = unit == sim::Unit::Second ? 1 : 1e-3;
  const double now = std::chrono::duration<double>(value).count() / scale;
  addTime(app, name, unit, what + " [" + CLI::detail::to_string(now) + "]",
          [&value](async::Duration given) { value = given; });
}

void addLine(CLI::App& app, Options& options) {
  app.add_option("--link", options.link, "make PATH a symbolic link to a pseudo terminal");
  app.add_option("--listen", options.listen, "unix:PATH or tcp:ADDRESS:PORT; one client at a time");
  app.add_option("--baud", options.module.baud, "rate of the line, 10 bits a byte; 0 = no limit")
      ->capture_default_str();
  app.add_flag("--check-rate", options.check_rate,
               "a host that has set another rate on the pseudo terminal hears and says garbage");
}

// A latency in place of the field's, without a spread.
void addLatency(CLI::App& app, const std::string& name, sim::Options& module, const std::string& command) {
  addTime(app, name, sim::Unit::Second, "s, as --latency " + command + "=...",
          [&module, command](async::Duration time) {
            module.latencies.insert_or_assign(command, sim::Span{time, time});
          });
}

void addTiming(CLI::App& app, Options& options) {
  using sim::Unit;
  sim::Options& module = options.module;
  addTime(app, "--command-latency", Unit::Millisecond, "ms from a command to its answer [5 to 30]",
          [&module](async::Duration given) {
            module.command_latency = given;
            module.command_spread = {};
          })
      ->take_last();
  app.add_option("--latency", options.latencies,
                 "NAME=LEAST[-MOST] in ms: the same for one command, as +CFUN=500-3000; may be repeated "
                 "[+QIACT 300-3000, +QIDEACT 2000-5000, +QISERVER 100-1000, +CFUN 500-3000, +CPIN 200-1000, "
                 "+CGATT 500-3000, +COPS 2000-10000]")
      ->take_all();
  addLatency(app, "--activation-time", module, "+QIACT");
  addLatency(app, "--deactivation-time", module, "+QIDEACT");
  addDuration(app, "--boot-time", module.boot_time, Unit::Second,
              "s from power to SMS Ready; registration takes 3 times this");
  addDuration(app, "--connect-timeout", module.connect_timeout, Unit::Second,
              "s until a connect without an answer fails");
  app.add_option("--ack-lag", options.ack_lag,
                 "LEAST[-MOST] in ms: AT+QISACK knows of a block's arrival so long after it has left "
                 "[500-1000; with --rtt 0]");
  addDuration(app, "--give-up", module.give_up, Unit::Second,
              "s until a TCP connection whose data nobody acknowledges is reset");
  addDuration(app, "--rtt", module.rtt, Unit::Millisecond, "ms to the far end and back");
}

void addModule(CLI::App& app, Options& options) {
  sim::Options& module = options.module;
  app.add_option("--firmware", options.firmware,
                 "note, m95 or mc60; --list-quirks says which quirks each has")
      ->capture_default_str();
  app.add_option("--quirk", options.quirks,
                 "a deviation beside those of the firmware, or no-NAME for one of its own; may be repeated")
      ->take_all();
  app.add_option("--indi", module.highest_indi,
                 "highest mode that AT+QINDI takes, 0 to 2 [note and m95 1, mc60 2]");
  app.add_option("--seed", module.seed, "for everything random")->capture_default_str();
  app.add_flag("--power-on", module.power_on, "begin with the start of the module, RDY and so on");
  app.add_flag("--autobaud", module.autobaud, "not a word before AT was seen");
  app.add_option("--pin", module.pin, "the SIM asks for this PIN, 4 to 8 digits");
  app.add_flag("--no-sim", module.no_sim, "no SIM in the slot");
  app.add_option("--receive-buffer", module.receive_buffer, "bytes that a socket keeps for the host")
      ->capture_default_str();
  app.add_option("--send-buffer", module.send_buffer, "bytes of a TCP socket on their way")
      ->capture_default_str();
}

void addNetwork(CLI::App& app, Options& options) {
  sim::Options& module = options.module;
  app.add_option("--rate", module.rate,
                 "bytes a second over the air, each way, for all sockets; 0 = no limit")
      ->capture_default_str();
  app.add_option("--loss", module.loss, "probability for a packet over the air to get lost")
      ->capture_default_str();
  app.add_option("--apn", module.access_points,
                 "NAME of an access point: activation with another is refused; may be repeated [any]")
      ->take_all();
  app.add_option("--map", options.mappings, "CIDR=ADDR: connects to that range go to ADDR; may be repeated")
      ->take_all();
  app.add_option("--host", options.hosts, "NAME=ADDR[,ADDR...]: the answer for a name; may be repeated")
      ->take_all();
  app.add_option("--black-hole", options.black_holes, "CIDR: never answers; may be repeated")->take_all();
  app.add_option("--inbound", options.inbound,
                 "ADDRESS of this machine: AT+QISERVER listens there [nobody gets in]");
  app.add_flag("--resolve", options.resolve, "ask this machine's resolver for other names");
}

void addMessages(CLI::App& app, Options& options) {
  sim::Options& module = options.module;
  app.add_option("--sms", options.sms,
                 "FROM=TEXT: a message on the SIM that was read already (REC READ), UTF-8; may be repeated")
      ->take_all();
  addDuration(app, "--sms-time", module.sms_sending, sim::Unit::Second,
              "s that the network takes for a message");
  app.add_flag("--sms-loop", module.sms_loop, "every message that is sent comes back");
  app.add_option("--own-number", module.own_number, "of the SIM; what is sent to it comes back")
      ->capture_default_str();
}

void addControl(CLI::App& app, Options& options) {
  app.add_option("--script", options.script,
                 "faults by time, one a line: at SECONDS VERB ..., from the start; # begins a comment line");
  app.add_option("--control", options.control,
                 "unix socket that takes faults, one a line, and answers each with ok or error and why");
  app.add_option("--transcript", options.transcript, "write what happens to this file");
}

void addLists(CLI::App& app) {
  app.add_flag_callback(
      "--list-commands", [] { throw CLI::CallForVersion(sim::listCommands(), 0); },
      "print the commands that it knows, with who says so, and end");
  app.add_flag_callback(
      "--list-quirks", [] { throw CLI::CallForVersion(sim::listQuirks(), 0); }, "print the quirks and end");
  app.add_flag_callback(
      "--list-faults", [] { throw CLI::CallForVersion(sim::listFaults(), 0); }, "print the faults and end");
}

constexpr const char* kFooter =
    "First session: qimux-sim --link /tmp/gsm0, and elsewhere: socat -,raw,echo=0 /tmp/gsm0,raw,echo=0; AT "
    "is\n"
    "answered with OK. The program says nothing and stays in the foreground until SIGINT or SIGTERM. The "
    "module\n"
    "is up and registered at once, unless --power-on. Addresses are those of this machine's own network, "
    "unless\n"
    "--map. To work through the application note: --firmware note.\n"
    "Exit code: 0 after SIGINT or SIGTERM; 1 where a value or a file cannot be used, with the reason on "
    "stderr.";

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("A simulated GSM module whose six sockets are real sockets of this machine.", "qimux-sim");
  app.set_version_flag("--version", QIMUX_VERSION);
  Options options;
  sim::fieldTiming(options.module);
  addLine(app, options);
  addTiming(app, options);
  addModule(app, options);
  addNetwork(app, options);
  addMessages(app, options);
  addControl(app, options);
  addLists(app);
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    // One code for whatever is wrong; 0 after --help and the lists.
    return app.exit(end) == 0 ? 0 : 1;
  }
  // Who asks for a round trip gets acknowledgements that take just that.
  if (app.count("--rtt") > 0) options.module.ack_lag = {};
  return sim::runProgram(options);
} catch (const std::exception& defect) {
  std::fprintf(stderr, "qimux-sim: %s\n", defect.what());
  return 1;
}
