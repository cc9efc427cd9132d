// The two dozen ways in which a real module breaks a host that was written for an ideal one, in the order in
// which they do. Each has a test tagged "[point-N]" that shows it on the wire.
#pragma once

#include <span>
#include <string_view>

namespace qimux::sim::test {

struct Point {
  int number;
  std::string_view what;
  // Where it is a variant: what switches it, quirks, options and faults in backticks. Empty: it is always so.
  std::string_view how;
  std::string_view seen;
};

std::span<const Point> points();

}  // namespace qimux::sim::test
