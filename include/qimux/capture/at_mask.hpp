// The AT dialogue with stand-ins. Follows it line by line: which command runs, which of the six sockets
// carries what, where a prompt or a block of payload comes. Shows commands, answers and URCs that it knows,
// with stand-ins for addresses, names and numbers of people; all others are filler: text messages, callers,
// whatever a module says.
#pragma once

#include "qimux/capture/stand_ins.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::capture {

class AtMask {
 public:
  explicit AtMask(StandIns& stand_ins) : stand_ins_(stand_ins) {}

  Bytes toModule(ByteView bytes, bool delivering);
  Bytes fromModule(ByteView bytes);
  // A new port.
  void reset();

  // A command without its CR.
  std::string command(std::string_view text);
  // An answer or a URC without its line end.
  std::string line(std::string_view text);

 private:
  enum class Carries { Stream, Datagrams, Names };
  struct Send {
    std::size_t slot;
    std::size_t size;
  };

  void forget();
  void follow(std::string_view command);
  void followLine(std::string_view line);
  Bytes payload(std::size_t slot, ByteView bytes);
  // Moves the next whole piece of pending_ to `shown`; false where there is none.
  bool showNext(Bytes& shown);
  bool showBlock(Bytes& shown);
  bool showPrompt(Bytes& shown);
  bool showLine(Bytes& shown);

  StandIns& stand_ins_;
  std::array<Carries, 6> slots_{};
  std::string running_;  // the last command
  std::optional<Send> send_;
  bool prompt_expected_ = false;
  std::optional<std::size_t> read_slot_;  // whose AT+QIRD has not had its header
  std::size_t block_slot_ = 0;
  std::size_t block_left_ = 0;
  bool dropping_line_ = false;
  Bytes pending_;
  std::size_t forgotten_ = 0;  // bytes that are nothing any more, and not shown yet
};

}  // namespace qimux::capture
