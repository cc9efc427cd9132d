// The live view: what one status after the other says, with the rates between them.
#pragma once

#include "qimux/ctl/value.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace qimux::ctl {

class Monitor {
 public:
  Monitor();
  ~Monitor();

  // A status that arrived `seconds` after some fixed moment. A socket that has another peer than before, or
  // has counted backwards (a new connection, a new daemon), has no rate yet.
  void take(const Json& status, double seconds);

  // Before the first status: empty. Lines of at most `width` characters, each with its line end: the link,
  // the totals, the last error where there is one, the sockets. With colour, sequences that take no room are
  // added.
  std::string frame(std::size_t width, bool colour) const;
  // The same in one line, for a log or a pipe.
  std::string line() const;

 private:
  struct Sample {
    std::string flow;
    double received = 0;
    double sent = 0;
  };
  using Samples = std::array<std::optional<Sample>, 6>;

  void rate(Json& row, Samples& samples, double span);
  std::string total(std::string_view key) const;

  std::unique_ptr<Json> status_;  // the last one, with rx_rate, tx_rate and unacknowledged in each socket
  Samples before_;
  double before_at_ = 0;
};

}  // namespace qimux::ctl
