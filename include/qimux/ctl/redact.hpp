// A report that may be shown to strangers: whose device, whose SIM, whose number and whom it talks to is
// hidden.
//
// What is hidden has a name that stays the same in one report, so that it can still be followed:
// "<number-1>", "<address-2>". Hidden are numbers of 14 digits and more (IMEI, IMSI, ICCID, also in groups),
// telephone numbers, cards' addresses, and addresses of the public Internet; private, local and reserved ones
// say nothing about anybody, and help. Of lines in which a module tells about the SIM, its messages, its
// callers or its cell all quoted texts are hidden.
#pragma once

#include "qimux/ctl/value.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace qimux::ctl {

class Redactor {
 public:
  // False: everything is shown.
  explicit Redactor(bool hide) : hide_(hide) {}

  std::string text(std::string_view text);
  // Texts in it, and its keys; numbers are counters and stay.
  Json json(const Json& value);

 private:
  std::string line(std::string_view line);
  std::string standIn(std::string_view kind, const std::string& what);
  // What begins at `at` and is to be hidden: its length, 0 where nothing is. `shown` is what stands for it.
  std::size_t address(std::string_view text, std::size_t at, std::string& shown);
  std::size_t colons(std::string_view text, std::size_t at, std::string& shown);
  std::size_t number(std::string_view text, std::size_t at, std::string& shown);

  bool hide_;
  std::map<std::string, std::string> stand_ins_;
  std::map<std::string, int, std::less<>> counts_;
};

// Whether an IPv4 address is one that the public Internet routes, and so may say who is meant.
bool isPublic(std::uint32_t address);

}  // namespace qimux::ctl
