// How long a module takes for what it is asked.
//
// The library's Options are quick and fixed, so that tests are exact; fieldTiming() gives them the spread of
// modules in the field. The manuals print only upper bounds (150 s for AT+QIACT), so the field's figures come
// from logs and are estimates where there is none.
#pragma once

#include "qimux/async/loop.hpp"

#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::sim {

struct Options;

// Somewhere from `least` to `most`, both included.
struct Span {
  async::Duration least{0};
  async::Duration most{0};
};

// "300" or "300-3000", milliseconds, also with a fraction; at most a day.
std::optional<Span> parseSpan(std::string_view text);

// By the name of a command, "+QIACT"; what is not in it takes Options::command_latency.
using Latencies = std::map<std::string, Span, std::less<>>;

// The figures of the field for everything that takes time: commands, acknowledgements.
void fieldTiming(Options& options);

class Timing {
 public:
  // `options` must outlive it.
  explicit Timing(const Options& options);

  // One drawing for that command, for whoever runs it in its own time: "+QIACT" and "+QIDEACT" (until the
  // context has changed), "+QISERVER" (until SERVER OK), "+QISEND" (from the last byte to SEND OK), "+COPS"
  // (the search of AT+COPS=?). Any other name, or none, is the time to an ordinary answer.
  async::Duration of(std::string_view command);
  // From the CR of a line of these commands to its answer: once the time of an ordinary answer, and in place
  // of it that of the commands which take longer. Questions (AT+X? and AT+X=?) do not.
  async::Duration ofLine(const std::vector<std::string_view>& commands);
  async::Duration draw(Span span);

 private:
  const Options& options_;
  std::mt19937_64 random_;
};

}  // namespace qimux::sim
