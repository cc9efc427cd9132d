// qimux-replay: runs a capture of qimuxd through the daemon's cores again, and tells where they do something
// else.
#include "qimux/base/log.hpp"
#include "qimux/capture/replay.hpp"
#include "qimux/daemon/captured.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string>

namespace {

using namespace qimux;

enum ExitCode { kSame = 0, kDiverged = 1, kUnusable = 2 };

struct Arguments {
  std::string file;
  double until = 0;
  double slack = 1;
  bool verbose = false;
};

std::optional<int> parseArguments(int argc, char** argv, Arguments& arguments) {
  CLI::App app(
      "Runs a capture of qimuxd through the daemon's cores on a virtual clock, and compares what they put "
      "out\n"
      "with what they put out then. The first difference ends it.",
      "qimux-replay");
  app.footer(
      "What is compared: the bytes to the port and to each program's stream, in order, whatever their "
      "pieces; the\n"
      "packets to both interfaces but for identification and checksums; the states of the link.\n"
      "Exit codes: 0 the same, 1 different, 2 the file cannot be used.");
  app.add_option("CAPTURE", arguments.file, "What qimuxd --capture has written")->required();
  app.add_option("--until", arguments.until, "Stop at that time of the capture, in seconds")
      ->option_text("SECONDS");
  app.add_option("--slack", arguments.slack,
                 "How much earlier or later than recorded something may be put out (default 1)")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.0, 3600.0));
  app.add_flag("--verbose", arguments.verbose, "Print each record as it is run, and what the daemon logs");
  app.set_version_flag("--version", std::string("qimux-replay " QIMUX_VERSION));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSame : kUnusable;
  }
  return std::nullopt;
}

async::Duration seconds(double value) {
  return std::chrono::duration_cast<async::Duration>(std::chrono::duration<double>(value));
}

double seconds(async::Duration value) {
  return std::chrono::duration<double>(value).count();
}

// What the capture says around that line.
void printContext(const capture::Capture& recorded, unsigned line) {
  constexpr std::size_t kBefore = 8;
  constexpr std::size_t kAfter = 3;
  constexpr std::size_t kWidth = 200;
  const auto& records = recorded.records;
  std::size_t at = 0;
  while (at < records.size() && records[at].line < line) ++at;
  const std::size_t begin = at < kBefore ? 0 : at - kBefore;
  fmt::print("context:\n");
  for (std::size_t i = begin; i < std::min(at + kAfter + 1, records.size()); ++i) {
    fmt::print("{} {:6} {}\n", records[i].line == line ? '>' : ' ', records[i].line,
               capture::print(records[i]).substr(0, kWidth));
  }
}

void print(const capture::Capture& recorded, const std::string& file, const capture::Divergence& found) {
  fmt::print("{}:{}: different at {:.6f} s, on {}\n", file, found.line, seconds(found.at), found.channel);
  fmt::print("expected: {}\n", found.expected.empty() ? "nothing" : found.expected);
  fmt::print("got:      {}\n", found.got.empty() ? "nothing" : found.got);
  printContext(recorded, found.line);
}

int run(const Arguments& arguments) {
  const auto recorded = capture::readCapture(arguments.file);
  if (!recorded) {
    fmt::print(stderr, "{}: {}\n", recorded.error().what, recorded.error().reply);
    return kUnusable;
  }
  auto options = daemon::replayOptions(recorded->head);
  if (!options) {
    fmt::print(stderr, "{}: {}\n", arguments.file, options.error().reply);
    return kUnusable;
  }
  options->slack = seconds(arguments.slack);
  if (arguments.until > 0) options->until = seconds(arguments.until);
  if (arguments.verbose) {
    options->on_record = [](const capture::Record& record) {
      fmt::print(stderr, "-- {:6} {}\n", record.line, capture::print(record).substr(0, 160));
    };
  }
  log::setLevel(arguments.verbose ? log::Level::Debug : log::Level::Error);
  const auto replay = capture::Replay::create(*recorded, *options);
  const auto found = replay->run();
  if (found) print(*recorded, arguments.file, *found);
  const auto& figures = replay->figures();
  fmt::print(
      "{}: {} in {:.1f} s of the capture: {} moments, {} outputs compared, {} turns that it did not have{}\n",
      arguments.file, found ? "different" : "the same", seconds(figures.length), figures.moments,
      figures.outputs, figures.unrecorded, recorded->ended ? "" : "; it was cut off");
  return found ? kDiverged : kSame;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const auto code = parseArguments(argc, argv, arguments)) return *code;
  return run(arguments);
}
