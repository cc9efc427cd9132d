// A fault's line as words, and what may stand behind a verb.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/error.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace qimux::sim {

// The words behind the verb.
struct Words {
  std::string_view verb;
  std::vector<std::string_view> words;
  // All of them as they were written.
  std::string_view rest;

  std::optional<double> real(std::size_t index, double most) const;
  std::optional<long> whole(std::size_t index, long most) const;
  // COUNT, which is 1 where it is left out.
  std::optional<int> count(std::size_t index) const;
  std::optional<async::Duration> seconds(std::size_t index) const;
};
Words splitWords(std::string_view line);

// "+4912345 two words": the text is all that is left of the line, blanks and all.
struct Letter {
  std::string_view from;
  std::string_view text;
};
std::optional<Letter> letter(const Words& words);

// What stands behind a verb. It can be checked before anything runs.
enum class Arguments {
  None,
  Context,
  Socket,
  SocketCount,
  SocketSecondsCount,
  Count,
  Place,
  Bytes,
  Rate,
  Seconds,
  SecondsCount,
  Probability,
  OnOff,
  OnOffHost,
  Text,
  Message
};
bool fits(const Words& words, Arguments arguments);
// What it needs, for whoever gave something else.
std::string_view rule(Arguments arguments);

std::unexpected<Error> wrong(const Words& words, std::string_view why);

}  // namespace qimux::sim
