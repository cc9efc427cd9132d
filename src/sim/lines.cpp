#include "qimux/sim/lines.hpp"

#include <utility>

namespace qimux::sim {
namespace {

// Application note 4.
constexpr auto kRing = std::chrono::milliseconds(12);

}  // namespace

Lines::Lines(async::Loop& loop, Transcript& transcript, Output output)
    : transcript_(transcript), output_(std::move(output)), ri_(loop) {}

void Lines::setDtr(bool on) {
  const bool before = dtr();
  dtr_ = on;
  update(before);
}

void Lines::forceDtr(std::optional<bool> on) {
  const bool before = dtr();
  forced_ = on;
  update(before);
}

void Lines::update(bool before) {
  if (dtr() == before) return;
  transcript_.note(dtr() ? "DTR low" : "DTR high");
  if (changed_) changed_(dtr());
}

void Lines::setDcd(bool on) {
  const bool before = dcd();
  dcd_ = on;
  dcdChanged(before);
}

void Lines::setDcdAlways(bool always) {
  const bool before = dcd();
  always_ = always;
  dcdChanged(before);
}

void Lines::dcdChanged(bool before) {
  if (dcd() == before) return;
  transcript_.note(dcd() ? "DCD low" : "DCD high");
  drive();
}

void Lines::ring() {
  if (ri_.armed()) return;
  transcript_.note("RI low for 12 ms");
  ri_.start(kRing, [this] { drive(); });
  drive();
}

void Lines::reset() {
  const bool driven = dcd() || ri_.armed();
  ri_.stop();
  dcd_ = always_ = false;
  if (driven) drive();
}

void Lines::drive() {
  if (output_) output_(dcd(), ri_.armed());
}

}  // namespace qimux::sim
