// --seed N, --seeds FROM..TO, --verbose: what the programs take that run many of something.
#pragma once

#include <cstdint>
#include <optional>

namespace qimux::simtest {

struct Asked {
  std::uint64_t from = 1;
  std::uint64_t to = 200;
  bool verbose = false;
};
// Nothing where it is none of these.
std::optional<Asked> parseSeeds(int count, char** words);

}  // namespace qimux::simtest
