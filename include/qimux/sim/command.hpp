// Command lines taken apart, and the table of what can be done with the parts.
//
// A command that is not in the table is ERROR: nothing is answered OK that is not done. To add commands,
// write a file with one add...Commands(CommandTable&) and call it in allCommands().
#pragma once

#include "qimux/sim/terminal.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::sim {

class Module;

enum class Form {
  Execute,  // AT+X
  Set,      // AT+X=...
  Read,     // AT+X?
  Test,     // AT+X=?
};

struct Argument {
  std::string_view text;  // without the quotes
  bool quoted = false;
};

struct Call {
  std::string_view name;  // "+QIOPEN", "E", "&F"; upper case
  Form form = Form::Execute;
  std::vector<Argument> args;

  std::size_t count() const { return args.size(); }
  // The argument as a number from `least` to `most`; nothing where it is missing, quoted or anything else.
  std::optional<long> number(std::size_t index, long least, long most) const;
  // The same, with or without quotes: AT+QIOPEN takes the port either way.
  std::optional<long> looseNumber(std::size_t index, long least, long most) const;
  // The argument where it is quoted.
  std::optional<std::string_view> string(std::size_t index) const;
};

// "E0V1&W+CREG?;+CSQ" (the line without AT) gives "E0", "V1", "&W", "+CREG?", "+CSQ". Semicolons within
// quotes divide nothing. Views into `line`.
std::vector<std::string_view> splitLine(std::string_view line);

// One part of it. `name_store` keeps the name in upper case. Nothing where it is no command at all.
std::optional<Call> parseCall(std::string_view part, std::string& name_store);

// ERROR for a command that is well formed and not possible now, or not on this firmware; `why` goes into the
// transcript, as "+QIREGAPP: not in IP STATUS".
Reply refused(Module& module, const Call& call, std::string_view why);

using Handler = Reply (*)(Module& module, const Call& call);

class CommandTable {
 public:
  void add(std::string_view name, Handler handler) { handlers_.insert_or_assign(std::string(name), handler); }
  // Nothing where the module does not know it.
  Handler find(std::string_view name) const;
  // Of all of them, sorted.
  std::vector<std::string_view> names() const;

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

void addBasicCommands(CommandTable& table);
void addIdentityCommands(CommandTable& table);
void addNetworkCommands(CommandTable& table);
void addStackCommands(CommandTable& table);
void addSocketCommands(CommandTable& table);
void addDataCommands(CommandTable& table);
void addServerCommands(CommandTable& table);
void addTransparentCommands(CommandTable& table);
void addNameCommands(CommandTable& table);
void addModemCommands(CommandTable& table);
void addClockCommands(CommandTable& table);
void addOperatorCommands(CommandTable& table);
void addSimCommands(CommandTable& table);
void addSmsCommands(CommandTable& table);
void addMessageCommands(CommandTable& table);

// What AT+X=? shows, for every command of which it is always the same: the text behind the colon, "" where
// there is nothing but OK. Nothing where the command answers by itself or has no such form.
std::optional<std::string_view> testAnswer(std::string_view name);

// Everything the simulator implements; made once.
const CommandTable& allCommands();

}  // namespace qimux::sim
