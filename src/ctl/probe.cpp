#include "qimux/ctl/probe.hpp"

#include "qimux/at/channel.hpp"
#include "qimux/base/bytes.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace qimux::ctl {
namespace {

using namespace std::chrono_literals;

// The first AT at a new rate may end a line of garbage, or be what an autobauding module learns from.
constexpr int kTries = 2;
constexpr async::Duration kPatience = 400ms;
constexpr async::Duration kQuestion = 2s;

async::Task<bool> answers(async::Loop& loop, serial::Port& port) {
  for (int i = 0; i < kTries; ++i) {
    at::Channel channel(loop, port);
    at::Command command("AT", kPatience);
    const auto reply = co_await channel.execute(std::move(command));
    if (reply) co_return true;
  }
  co_return false;
}

// The lines of the answer in one, or why there was none.
async::Task<Result<std::string>> ask(async::Loop& loop, serial::Port& port, std::string question) {
  at::Channel channel(loop, port);
  // Some of these answers come unasked too; they are this one's where it is said so.
  const bool asks_setting = question.contains('=') || question.ends_with('?');
  const std::string prefix = asks_setting ? question.substr(2, question.find_first_of("=?") - 2) + ":" : "*";
  at::Command command(question, kQuestion, at::Command::Ending::Ok, prefix);
  const auto reply = co_await channel.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  std::string joined;
  for (const std::string& line : reply->lines) {
    // Its echo, where that is on.
    if (line == question) continue;
    if (!joined.empty()) joined += ' ';
    joined += printable(line);
  }
  co_return joined;
}

// "+CPIN: READY" without what everybody knows.
std::string behind(std::string_view prefix, std::string text) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

// "(0-2)" or "(0,1,2)"; nothing where it is another list, or none.
std::optional<bool> listsTwo(const std::string& text) {
  if (!text.contains('(')) return std::nullopt;
  return text.contains('2');
}

enum Question { kIdentity, kModel, kRevision, kSim, kStack, kIndication, kImei, kQuestions };
constexpr std::array<std::string_view, kQuestions> kTexts{"ATI",       "AT+GMM",     "AT+GMR", "AT+CPIN?",
                                                          "AT+QIMUX?", "AT+QINDI=?", "AT+GSN"};

async::Task<Found> describe(async::Loop& loop, serial::Port& port, int rate, bool ask_imei) {
  std::array<Result<std::string>, kQuestions> said;
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (i == kImei && !ask_imei) break;
    std::string question(kTexts.at(i));
    said.at(i) = co_await ask(loop, port, std::move(question));
  }
  Found found;
  found.baud = rate;
  found.identity = said[kIdentity].value_or("");
  found.model = said[kModel].value_or("");
  found.revision = said[kRevision].value_or("");
  found.imei = said[kImei].value_or("");
  found.sim = said[kSim] ? behind("+CPIN: ", *said[kSim]) : printable(said[kSim].error().reply);
  found.stack = said[kStack].has_value();
  if (said[kIndication]) found.packet_sizes = listsTwo(*said[kIndication]);
  co_return found;
}

}  // namespace

async::Task<std::optional<Found>> findModule(async::Loop& loop, serial::Port& port,
                                             std::span<const int> rates, bool ask_imei) {
  for (const int rate : rates) {
    const auto set = port.setRate(rate);
    if (!set) continue;
    const bool there = co_await answers(loop, port);
    if (!there) continue;
    auto found = co_await describe(loop, port, rate, ask_imei);
    co_return found;
  }
  co_return std::nullopt;
}

std::string renderFound(const Found& found, const std::string& device, const Tty& tty,
                        const std::string& instance) {
  std::string out = fmt::format("{}: a module answers at {} baud\n", device, found.baud);
  const auto line = [&out](std::string_view label, std::string_view value) {
    if (!value.empty()) out += fmt::format("  {:<9} {}\n", label, value);
  };
  line("it is", found.identity.empty() ? found.model : found.identity);
  line("revision", found.revision);
  line("IMEI", found.imei);
  line("SIM", found.sim);
  line("TCP/IP", found.stack ? "yes (AT+QIMUX)" : "no AT+QIMUX: qimuxd cannot use this module");
  if (found.packet_sizes) {
    line("UDP", *found.packet_sizes ? "datagrams keep their boundaries (AT+QINDI=2)"
                                    : "AT+QINDI=1 only: boundaries may be lost under load");
  }
  if (!found.stack) return out;
  const auto rule = udevRule(tty, instance);
  out += rule ? fmt::format(
                    "\nIn /etc/udev/rules.d/60-qimuxd-local.rules, so that it is /dev/{}:\n{}\n"
                    "and then, or plug it in again:\n"
                    "udevadm control --reload && udevadm trigger --subsystem-match=tty --action=add\n",
                    instance, *rule)
              : "\nThis tty is none of udev's: it has no rule, use its path.\n";
  const bool usual = instance == "gsm0";
  out += fmt::format(
      "\nIn /etc/qimuxd/{}.toml:\n[serial]\ndevice = \"{}\"\nbaud = {}\n\n[module]\napn = \"\"  # your "
      "operator's\n",
      usual ? "qimuxd" : instance, rule ? "/dev/" + instance : device, found.baud);
  return out;
}

}  // namespace qimux::ctl
