#include "shown.hpp"

#include "qimux/sim/address.hpp"
#include "qimux/sim/command.hpp"

#include <array>
#include <optional>

namespace qimux::sim::test {
namespace {

constexpr std::string_view kEscape = "+++";
constexpr std::string_view kEscapeTag = "plus-plus-plus";

// Whether the line is the last of an answer, and a good one; nothing where more follows.
std::optional<bool> verdict(std::string_view line) {
  static constexpr std::array<std::string_view, 8> kGood{
      "OK", "0", "SEND OK", "CLOSE OK", "DEACT OK", "CONNECT", "ALREADY CONNECT", "NORMAL POWER DOWN"};
  static constexpr std::array<std::string_view, 4> kBad{"ERROR", "4", "SEND FAIL", "NO CARRIER"};
  // "2, CLOSE OK" and "2,SEND OK" are the same with an index.
  if (line.size() > 2 && line[0] >= '0' && line[0] <= '5' && line[1] == ',') {
    line.remove_prefix(line[2] == ' ' ? 3 : 2);
  }
  for (const auto good : kGood) {
    if (line == good) return true;
  }
  for (const auto bad : kBad) {
    if (line == bad) return false;
  }
  if (line.starts_with("+CME ERROR:") || line.starts_with("+CMS ERROR:")) return false;
  // AT+QILOCIP has no OK.
  if (parseIpv4(line)) return true;
  return std::nullopt;
}

std::vector<std::string> namesOf(std::string_view command_line) {
  std::vector<std::string> names;
  for (const auto part : splitLine(command_line)) {
    std::string store;
    if (const auto call = parseCall(part, store)) names.push_back("AT" + std::string(call->name));
  }
  return names;
}

}  // namespace

void Witness::line(std::string_view line) {
  // "    1.500000 -> AT+CSQ"
  const std::size_t blank = line.find_first_not_of(' ');
  const std::size_t arrow = line.find(' ', blank) + 1;
  if (blank == std::string_view::npos || arrow == 0 || arrow + 3 > line.size()) return;
  const std::string_view direction = line.substr(arrow, 2);
  const std::string_view text = line.substr(arrow + 3);
  if (direction == "->" && text.starts_with("AT")) {
    running_ = namesOf(text.substr(2));
    // A bare AT has no name.
  } else if (direction == "--" && (text == "command mode" || text == "DTR off")) {
    // Its OK follows.
    if (text == "command mode" && !std::exchange(by_line_, false)) running_ = {std::string(kEscape)};
    by_line_ = text == "DTR off";
  } else if (direction == "<-" && !running_.empty()) {
    const auto good = verdict(text);
    if (!good) return;
    // Of a call there is no better answer.
    const bool called = text == "NO CARRIER" && (running_.back() == "ATD" || running_.back() == "ATA");
    if (*good || called) {
      for (auto& name : running_) Shown::instance().answered(std::move(name));
    }
    running_.clear();
  }
}

Shown& Shown::instance() {
  static Shown shown;
  return shown;
}

std::string commandOfTag(std::string_view tag) {
  if (tag == kEscapeTag) return std::string(kEscape);
  return tag.starts_with("AT") ? std::string(tag) : std::string();
}

std::string tagOfCommand(std::string_view command) {
  return std::string(command == kEscape ? kEscapeTag : command);
}

}  // namespace qimux::sim::test
