// What the tests of this room show, taken down while they run: which test case had which command answered
// well, and which quirks its modules had.
//
// A test case says by a tag what it shows: "[AT+QIOPEN]", "[ATE]", "[plus-plus-plus]" for +++, "[point-4]".
// main.cpp refuses a tag of a command that no module of the test case has answered well.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::sim::test {

// Follows one module's transcript and finds the commands that ended well.
class Witness {
 public:
  void line(std::string_view line);

 private:
  // Names of the command line that runs.
  std::vector<std::string> running_;
  // Data mode ends by DTR.
  bool by_line_ = false;
};

class Shown {
 public:
  static Shown& instance();

  // "AT+QIOPEN" was executed and its answer was no error.
  void answered(std::string name) { answered_.insert(std::move(name)); }
  // A module that has this quirk was made.
  void ran(std::string quirk) { quirks_.insert(std::move(quirk)); }
  // What the section that runs shows, beside the tags of its test case; told with the name of the section.
  void claim(std::vector<std::string> tags) { claims_ = std::move(tags); }

  bool wasAnswered(const std::string& name) const { return answered_.contains(name); }
  const std::set<std::string>& quirks() const { return quirks_; }
  std::vector<std::string> takeClaims() { return std::exchange(claims_, {}); }
  void forget() {
    answered_.clear();
    quirks_.clear();
    claims_.clear();
  }

 private:
  std::set<std::string> answered_;
  std::set<std::string> quirks_;
  std::vector<std::string> claims_;
};

// The command that a tag names: "AT+QIOPEN", "+++"; empty where it names none.
std::string commandOfTag(std::string_view tag);
// The tag of a command.
std::string tagOfCommand(std::string_view command);

}  // namespace qimux::sim::test
