#include "qimux/capture/at_mask.hpp"

#include "qimux/at/lexer.hpp"
#include "qimux/at/text.hpp"
#include "qimux/at/urc.hpp"
#include "qimux/capture/record.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace qimux::capture {
namespace {

constexpr Byte kEscape = 0x1b;
// Longer numbers name somebody.
constexpr std::size_t kLongestCount = 5;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

// What words, numbers and states of the module are made of, and no person's text is.
bool isPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return isDigit(c) || (c >= 'A' && c <= 'Z') || std::string_view(" ,:.\"_-+?=/").contains(c);
  });
}

bool beginsWithAny(std::string_view text, std::initializer_list<std::string_view> heads) {
  return std::ranges::any_of(heads, [text](std::string_view head) { return text.starts_with(head); });
}

std::string filler(std::string_view text) {
  return std::string(text.size(), static_cast<char>(kFiller));
}

// What stands between quotes as filler.
std::string fillQuoted(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    out += quoted && c != '"' ? static_cast<char>(kFiller) : c;
  }
  return out;
}

// Asked or set by the daemon itself with nothing but small numbers and words of the manual.
bool isHarmless(std::string_view command) {
  return beginsWithAny(command, {"ATE",
                                 "ATV",
                                 "AT+CMEE",
                                 "AT+CFUN",
                                 "AT+CSQ",
                                 "AT+CREG",
                                 "AT+CGREG",
                                 "AT+COPS",
                                 "AT+QI",
                                 "AT+QPING",
                                 "AT+QSCLK",
                                 "AT+IPR",
                                 "AT+QCFG=\"TCP/BufferRemain\"",
                                 "AT+QPOWD",
                                 "AT&F",
                                 "AT+CPIN?",
                                 "AT+CBC",
                                 "AT+QSIMSTAT",
                                 "AT+QPINC",
                                 "AT+QNITZ"});
}

// "AT+NAME", "AT+NAME?", "AT+NAME=?": a question without anything of anybody in it.
bool isQuestion(std::string_view command) {
  if (command.ends_with("=?")) command.remove_suffix(2);
  if (command.ends_with('?')) command.remove_suffix(1);
  return command.size() <= 20 &&
         std::ranges::all_of(command, [](char c) { return (c >= 'A' && c <= 'Z') || c == '+'; });
}

std::string accessPoint(std::string_view values) {
  // AT+QICSGP=1,"apn"[,"user","password"]; an empty one stays empty.
  constexpr std::array<std::string_view, 3> kStandIns{"\"apn\"", "\"user\"", "\"***\""};
  std::string out;
  std::size_t texts = 0;
  for (const auto& field : at::fields(values, 8)) {
    const bool number = field.size() == 1 && isDigit(field.front()) && out.empty();
    out += out.empty() ? "" : ",";
    if (number) {
      out += field;
    } else {
      out += field.empty() ? "\"\"" : kStandIns.at(std::min(texts, kStandIns.size() - 1));
      ++texts;
    }
  }
  return out;
}

// Whole lines, without the index of a socket.
bool isKnown(std::string_view line) {
  static constexpr std::array kLines = std::to_array<std::string_view>({"OK",
                                                                        "ERROR",
                                                                        "SEND OK",
                                                                        "SEND FAIL",
                                                                        "CONNECT OK",
                                                                        "CONNECT FAIL",
                                                                        "ALREADY CONNECT",
                                                                        "CLOSED",
                                                                        "CLOSE OK",
                                                                        "DEACT OK",
                                                                        "RDY",
                                                                        "Call Ready",
                                                                        "SMS Ready",
                                                                        "+PDP DEACT",
                                                                        "+PDP: DEACT",
                                                                        "RING",
                                                                        "NO CARRIER",
                                                                        "NORMAL POWER DOWN",
                                                                        "UNDER_VOLTAGE POWER DOWN",
                                                                        "OVER_VOLTAGE POWER DOWN",
                                                                        "UNDER_VOLTAGE WARNING",
                                                                        "OVER_VOLTAGE WARNING",
                                                                        "UNDER_VOLTAGE WARNNING",
                                                                        "OVER_VOLTAGE WARNNING",
                                                                        ">"});
  return std::ranges::find(kLines, line) != kLines.end();
}

// With what lines begin whose fields are numbers, words of the manual, and addresses; empty where it is none.
std::string_view headOf(std::string_view line) {
  static constexpr std::array kHeads = std::to_array<std::string_view>(
      {"+CME ERROR:", "+CMS ERROR:", "ERROR:", "+QISACK:", "+QIRDI:", "+QIRD:", "+QISTATE:", "+QPING:",
       "+CSQ:", "+CFUN:", "+CPIN:", "+QPINC:", "STATE:", "+QIMUX:", "+QIMODE:", "+QINDI:", "+QIFGCNT:",
       "+RECEIVE:", "+CBC:"});
  const auto found = std::ranges::find_if(kHeads, [line](auto head) { return line.starts_with(head); });
  return found == kHeads.end() ? std::string_view() : line.substr(0, found->size());
}

std::size_t longestNumber(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = isDigit(c) ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

// The rest of a line that was damaged on its way: fields stay fields, and no number that could be somebody's.
std::string garbled(std::string_view text) {
  const bool numbers = longestNumber(text) <= kLongestCount;
  std::string out(text);
  for (char& c : out) {
    const bool stays = std::string_view(" ,:\"").contains(c) || (isDigit(c) && numbers);
    if (!stays) c = static_cast<char>(kFiller);
  }
  return out;
}

}  // namespace

void AtMask::reset() {
  forget();
  forgotten_ = 0;
}

// What of a line or a block has come is nothing any more.
void AtMask::forget() {
  forgotten_ += pending_.size();
  pending_.clear();
  send_.reset();
  read_slot_.reset();
  prompt_expected_ = dropping_line_ = false;
  block_left_ = 0;
}

std::string AtMask::command(std::string_view text) {
  if (const auto pin = at::after(text, "AT+CPIN=")) return "AT+CPIN=\"0000\"";
  if (const auto values = at::after(text, "AT+QICSGP=")) return "AT+QICSGP=" + accessPoint(*values);
  if (const auto value = at::after(text, "AT+QIDNSGIP=")) {
    const bool quoted = value->size() >= 2 && value->front() == '"' && value->back() == '"';
    const auto name = quoted ? value->substr(1, value->size() - 2) : *value;
    const std::string quote(quoted ? "\"" : "");
    return "AT+QIDNSGIP=" + quote + stand_ins_.name(name) + quote;
  }
  if (const auto values = at::after(text, "AT+QIREGAPP=")) return "AT+QIREGAPP=" + filler(*values);
  if (text == "AT" || isQuestion(text) ||
      (isHarmless(text) && (isPlain(text) || text.starts_with("AT+QCFG")))) {
    return stand_ins_.addressesIn(text);
  }
  const auto shown = std::min(text.find('=') + 1, text.size());
  const auto head =
      isQuestion(text.substr(0, shown == 0 ? 0 : shown - 1)) ? text.substr(0, shown) : text.substr(0, 0);
  return std::string(head) + filler(text.substr(head.size()));
}

std::string AtMask::line(std::string_view whole) {
  const std::string_view text = at::trim(whole);
  const std::string_view unindexed = at::splitIndex(text).text;
  if (text.empty() || isKnown(unindexed)) return std::string(whole);
  if (text.starts_with("AT")) {  // an echo
    const std::string echo = command(text);
    return echo.size() == whole.size() ? echo : filler(whole);
  }
  if (beginsWithAny(text, {"+CREG:", "+CGREG:"})) return fillQuoted(whole);  // where the module is
  if (const auto head = headOf(text); !head.empty()) {
    const auto begin = static_cast<std::size_t>(head.data() - whole.data()) + head.size();
    return isPlain(text) ? stand_ins_.addressesIn(whole)
                         : std::string(whole.substr(0, begin)) + garbled(whole.substr(begin));
  }
  const bool address = unindexed.starts_with("REMOTE IP:") || at::dottedAddress(text).has_value();
  if (address && isPlain(text)) return stand_ins_.addressesIn(whole);
  // The operator is nobody's secret, and half of what is wrong in the field.
  if (text.starts_with("+COPS:") && running_.starts_with("AT+COPS")) return std::string(whole);
  if (running_ == "AT+CGMI" || running_ == "AT+CGMM" || running_ == "AT+CGMR") {
    if (longestNumber(text) <= kLongestCount) return std::string(whole);
  }
  if (running_ == "AT+GSN" && std::ranges::all_of(text, isDigit) && text.size() > kLongestCount) {
    return stand_ins_.digits(whole);
  }
  return filler(whole);
}

// What the command says about what will follow.
void AtMask::follow(std::string_view command) {
  running_ = command;
  send_.reset();
  read_slot_.reset();
  prompt_expected_ = false;
  // at::Channel forgets a half line, a prompt and a block before it asks whether anybody is there.
  if (command == "AT") forget();
  if (const auto values = at::after(command, "AT+QIOPEN=")) {
    const auto field = at::fields(*values, 4);
    const auto slot = at::number<std::size_t>(field[0]);
    if (field.size() < 4 || !slot || *slot >= slots_.size()) return;
    const auto address = net::parseAddress(field[2]);
    const auto port = at::number<std::uint16_t>(field[3]);
    const auto& upstream = stand_ins_.surroundings().upstream;
    const bool names = upstream && address && port && *upstream == net::Endpoint{*address, *port};
    slots_.at(*slot) = field[1] == "TCP" ? Carries::Stream : names ? Carries::Names : Carries::Datagrams;
  }
  if (const auto values = at::after(command, "AT+QISEND=")) {
    const auto field = at::fields(*values, 2);
    const auto slot = at::number<std::size_t>(field[0]);
    const auto size = field.size() == 2 ? at::number<std::size_t>(field[1]) : std::nullopt;
    if (slot && size && *slot < slots_.size()) send_ = Send{*slot, *size};
    prompt_expected_ = true;
  }
  if (const auto values = at::after(command, "AT+QIRD=")) {
    const auto field = at::fields(*values, 4);
    const auto slot = field.size() == 4 ? at::number<std::size_t>(field[2]) : std::nullopt;
    if (slot && *slot < slots_.size()) read_slot_ = slot;
  }
}

Bytes AtMask::payload(std::size_t slot, ByteView bytes) {
  switch (slots_.at(slot)) {
    case Carries::Stream:
      break;
    case Carries::Datagrams:
      return StandIns::datagram(bytes);
    case Carries::Names:
      return stand_ins_.dnsMessage(bytes);
  }
  return StandIns::stream(bytes);
}

// The channel writes a payload when its prompt is delivered, and commands from the loop: that tells them
// apart.
Bytes AtMask::toModule(ByteView bytes, bool delivering) {
  if (delivering && send_ && send_->size == bytes.size()) {
    const auto slot = send_->slot;
    send_.reset();
    return payload(slot, bytes);
  }
  const bool knocks = bytes.size() == 1 && bytes.front() == kEscape;
  if (knocks || std::ranges::all_of(bytes, [](Byte byte) { return byte == '\r'; })) {
    return Bytes(bytes.begin(), bytes.end());
  }
  const auto text = textOf(bytes);
  const bool is_command = text.starts_with("AT") && text.find('\r') == text.size() - 1;
  if (!is_command) return StandIns::stream(bytes);
  follow(text.substr(0, text.size() - 1));
  const std::string shown = command(text.substr(0, text.size() - 1));
  Bytes out(shown.begin(), shown.end());
  out.push_back('\r');
  return out;
}

void AtMask::followLine(std::string_view text) {
  if (!read_slot_) return;
  if (text == "OK" || text == "ERROR" || text.starts_with("+CM")) return read_slot_.reset();
  const auto rest = at::after(text, "+QIRD:");
  if (!rest) return;
  const auto size = at::number<std::size_t>(at::fields(*rest, 8).back());
  if (size && *size <= at::Lexer::kMaxBlock) {
    block_left_ = *size;
    block_slot_ = *read_slot_;
  }
  read_slot_.reset();
}

bool AtMask::showBlock(Bytes& shown) {
  // A datagram is one block and is looked at whole.
  const bool in_pieces = slots_.at(block_slot_) == Carries::Stream;
  if (!in_pieces && pending_.size() < block_left_) return false;
  const std::size_t size = std::min(block_left_, pending_.size());
  if (size == 0) return false;
  const Bytes made = payload(block_slot_, ByteView(pending_).first(size));
  shown.insert(shown.end(), made.begin(), made.end());
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(size));
  block_left_ -= size;
  return true;
}

bool AtMask::showPrompt(Bytes& shown) {
  const auto mark = std::ranges::find_if(pending_, [](Byte byte) { return byte != '\r' && byte != '\n'; });
  if (mark == pending_.end() || *mark != '>') return false;
  shown.insert(shown.end(), pending_.begin(), mark + 1);
  pending_.erase(pending_.begin(), mark + 1);
  prompt_expected_ = false;
  return true;
}

bool AtMask::showLine(Bytes& shown) {
  const auto end = std::ranges::find(pending_, Byte{'\n'});
  const bool whole = end != pending_.end();
  if (!whole && pending_.size() <= at::Lexer::kMaxLine && !dropping_line_) return false;
  if (pending_.empty()) return false;
  const Bytes taken(pending_.begin(), whole ? end + 1 : end);
  pending_.erase(pending_.begin(), whole ? end + 1 : end);
  std::size_t size = taken.size();
  while (size > 0 && (taken[size - 1] == '\n' || taken[size - 1] == '\r')) --size;
  std::size_t begin = 0;
  while (begin < size && taken[begin] == '\r') ++begin;
  const auto text = textOf(ByteView(taken).subspan(begin, size - begin));
  const bool cut = dropping_line_ || !whole || taken.size() > at::Lexer::kMaxLine;
  const std::string made = cut ? filler(text) : line(text);
  if (!cut) followLine(at::trim(text));
  dropping_line_ = !whole;
  shown.insert(shown.end(), taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(begin));
  std::ranges::copy(bytesOf(made), std::back_inserter(shown));
  shown.insert(shown.end(), taken.begin() + static_cast<std::ptrdiff_t>(size), taken.end());
  return true;
}

bool AtMask::showNext(Bytes& shown) {
  if (block_left_ > 0) return showBlock(shown);
  if (prompt_expected_ && !dropping_line_ && showPrompt(shown)) return true;
  return showLine(shown);
}

Bytes AtMask::fromModule(ByteView bytes) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  Bytes shown(std::exchange(forgotten_, 0), kFiller);
  while (showNext(shown)) {
  }
  return shown;
}

}  // namespace qimux::capture
