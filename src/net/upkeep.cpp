#include "qimux/net/upkeep.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::net {

std::string text(const Missing& missing) {
  std::vector<std::string> parts;
  if (missing.up) parts.emplace_back("that it is up");
  if (missing.address) parts.emplace_back("its address");
  if (!missing.routes.empty()) {
    std::vector<std::string> routes;
    for (const Cidr& each : missing.routes) routes.push_back(text(each));
    parts.push_back(fmt::format("the route{} {}", routes.size() > 1 ? "s" : "", fmt::join(routes, ", ")));
  }
  return parts.empty() ? "nothing" : fmt::to_string(fmt::join(parts, " and "));
}

void Upkeep::noticed() {
  if (timer_.armed()) return;
  const auto now = loop_.now();
  if (in_a_row_ > 0 && now - last_ >= kCalm) in_a_row_ = 0;
  auto when = now + kSettle;
  if (in_a_row_ > 0) when = std::max(when, last_ + pause());
  timer_.startAt(when, [this] { look(); });
}

void Upkeep::look() {
  const auto missing = hands_.look();
  if (missing && !missing->any()) return;
  last_ = loop_.now();
  ++in_a_row_;
  if (!missing) {
    hands_.say(log::Level::Debug, interface_ + ": " + missing.error().text());
    return noticed();
  }
  ++mends_;
  const auto mended = hands_.mend(*missing);
  tell(*missing, mended);
  could_not_ = !mended;
  // Nobody will call for what could not be done.
  if (!mended) noticed();
}

void Upkeep::tell(const Missing& missing, const Result<void>& mended) {
  const bool first = in_a_row_ == 1;
  if (!mended) {
    return hands_.say(could_not_ ? log::Level::Debug : log::Level::Warning,
                      fmt::format("{} has lost {}, and it cannot be put back now: {}", interface_,
                                  text(missing), mended.error().text()));
  }
  if (in_a_row_ == kFight) {
    return hands_.say(
        log::Level::Error,
        fmt::format(
            "another program keeps taking from {} {}: find it, and have it leave the interface alone. "
            "It is put back more and more rarely now, at last every {} min",
            interface_, text(missing),
            std::chrono::duration_cast<std::chrono::minutes>(kLongestPause).count()));
  }
  hands_.say(first || could_not_ ? log::Level::Warning : log::Level::Debug,
             fmt::format("another program took from {} {}: put back", interface_, text(missing)));
}

async::Duration Upkeep::pause() const {
  const unsigned doublings = std::min(in_a_row_ - 1, 30U);
  return std::min(kFirstPause * (std::int64_t{1} << doublings), kLongestPause);
}

}  // namespace qimux::net
