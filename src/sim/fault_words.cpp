#include "fault_words.hpp"

#include "qimux/sim/slot.hpp"
#include "qimux/sim/sms_pdu.hpp"

#include <charconv>
#include <cmath>
#include <string>

namespace qimux::sim {
namespace {

constexpr double kLongestSpan = 1e6;
constexpr long kMostTimes = 1'000'000;
constexpr long kMostBytes = 100'000;
constexpr long kFastest = 921'600;

bool isSocket(std::string_view word) {
  const bool server = word.starts_with('s');
  if (server) word.remove_prefix(1);
  return word.size() == 1 && word[0] >= '0' && word[0] < '0' + (server ? kAccepted : kSockets);
}

}  // namespace

std::optional<double> Words::real(std::size_t index, double most) const {
  if (index >= words.size()) return std::nullopt;
  double value = 0;
  const char* begin = words[index].data();
  const char* end = begin + words[index].size();
  const auto [stop, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc{} || stop != end || !std::isfinite(value) || value < 0 || value > most) {
    return std::nullopt;
  }
  return value;
}

std::optional<long> Words::whole(std::size_t index, long most) const {
  const auto value = real(index, static_cast<double>(most));
  if (!value || *value != std::floor(*value)) return std::nullopt;
  return static_cast<long>(*value);
}

std::optional<int> Words::count(std::size_t index) const {
  if (index >= words.size()) return 1;
  const auto value = whole(index, kMostTimes);
  return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
}

std::optional<async::Duration> Words::seconds(std::size_t index) const {
  const auto value = real(index, kLongestSpan);
  if (!value) return std::nullopt;
  return async::Duration(std::llround(*value * 1e6));
}

Words splitWords(std::string_view line) {
  Words result;
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  result.verb = line.substr(0, space);
  if (space == std::string_view::npos) return result;
  result.rest = line.substr(space + 1);
  std::string_view left = result.rest;
  while (!left.empty()) {
    const std::size_t end = left.find(' ');
    if (end != 0) result.words.push_back(left.substr(0, end));
    if (end == std::string_view::npos) break;
    left.remove_prefix(end + 1);
  }
  return result;
}

std::optional<Letter> letter(const Words& words) {
  const std::size_t blank = words.rest.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  return Letter{words.rest.substr(0, blank), words.rest.substr(blank + 1)};
}

std::unexpected<Error> wrong(const Words& words, std::string_view why) {
  return std::unexpected(Error{ErrorKind::Invalid, std::string(words.verb), std::string(why)});
}

bool fits(const Words& words, Arguments arguments) {
  const bool socket = !words.words.empty() && isSocket(words.words[0]);
  switch (arguments) {
    case Arguments::None:
      return true;
    case Arguments::Context:
      return words.words.empty() || words.whole(0, kContexts - 1);
    case Arguments::Socket:
      return socket;
    case Arguments::SocketCount:
      return socket && words.count(1);
    case Arguments::SocketSecondsCount:
      return socket && words.seconds(1) && words.count(2);
    case Arguments::Count:
      return words.count(0).has_value();
    case Arguments::Place:
      return words.whole(0, 255).has_value();
    case Arguments::Bytes:
      return words.whole(0, kMostBytes).value_or(0) > 0;
    case Arguments::Rate:
      return words.whole(0, kFastest).value_or(0) >= 300;
    case Arguments::Seconds:
      return words.seconds(0).has_value();
    case Arguments::SecondsCount:
      return words.seconds(0) && words.count(1);
    case Arguments::Probability:
      return words.real(0, 1).has_value();
    case Arguments::OnOff:
      return words.rest == "on" || words.rest == "off";
    case Arguments::OnOffHost:
      return words.rest == "on" || words.rest == "off" || words.rest == "host";
    case Arguments::Text:
      return !words.rest.empty();
    case Arguments::Message: {
      const auto message = letter(words);
      return message && composeDeliver(message->from, message->text, 0);
    }
  }
  return false;
}

std::string_view rule(Arguments arguments) {
  switch (arguments) {
    case Arguments::None:
      return {};
    case Arguments::Context:
      return "needs a context, 0 or 1";
    case Arguments::Socket:
      return "needs a socket: 0 to 5, or s0 to s4 for one that a server accepted";
    case Arguments::SocketCount:
      return "needs a socket, 0 to 5 or s0 to s4, and perhaps a count";
    case Arguments::SocketSecondsCount:
      return "needs a socket, 0 to 5 or s0 to s4, a number of seconds, and perhaps a count";
    case Arguments::Count:
      return "takes a count";
    case Arguments::Place:
      return "needs the number of a byte, 0 to 255";
    case Arguments::Bytes:
      return "needs a number of bytes";
    case Arguments::Rate:
      return "needs a rate, 300 to 921600";
    case Arguments::Seconds:
      return "needs a number of seconds";
    case Arguments::SecondsCount:
      return "needs a number of seconds and perhaps a count";
    case Arguments::Probability:
      return "needs a probability, 0 to 1";
    case Arguments::OnOff:
      return "needs on or off";
    case Arguments::OnOffHost:
      return "needs on, off or host";
    case Arguments::Text:
      return "needs a text";
    case Arguments::Message:
      return "needs a number or a short name, and a text";
  }
  return {};
}

}  // namespace qimux::sim
