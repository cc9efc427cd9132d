// The lines of a capture: what one says, and how it is written.
//
// A capture is text, a record a line, written as it happens:
//
//   12.345678 port> "AT+QISEND=0,1460\r"
//   12.351020 port< 4 "\r\n> "
//   12.351020 port> <1460>
//   12.410233 outer< 4500003c1c4640004006...  # tcp 10.64.64.1:40000 > 198.1.1.1:80 SYN
//
// The time is in seconds since the capture began, never running backwards; then the kind; then its fields;
// then, behind '#', what only a person reads. Bytes are written in pieces: "text" with \r \n \t \" \\ and
// \xNN, hexadecimal digits, and <n> for n filler bytes ('x'), which is what payload becomes where a capture
// is taken without personal data. No bytes at all are "".
//
// What comes from the module is shown by the line, and half a line with its rest: so `port<` says how many
// bytes have come as well. All that is shown, one after the other, are as many bytes as have come; a replay
// gives them out as they came.
//
// Three sorts of records: moments, in which the daemon's cores are called from outside, with what they are
// given; answers to what the cores ask while they run, which follow their moment; and what the cores put out.
// The loop's own moments, `ready` and `timer`, are there too: so the order in which things happened is all
// there, and a replay can have them happen again in just that order.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace qimux::capture {

enum class Kind {
  // Moments.
  Start,          // the link is told to come up
  Stop,           // number: the drain time in microseconds
  Ready,          // the loop runs what is queued
  Timer,          // the loop fires the timers that are due
  PortIn,         // number: bytes that have come from the module; data: what is shown of them now
  PortLost,       // number: ErrorKind; text, data: its two texts
  OuterIn,        // data: a packet that a program's kernel sent
  InnerIn,        // data: one of the private namespace
  Accept,         // stream; number: the NAT port
  StreamChanged,  // stream
  AskRadio,       // somebody wants signal and operator refreshed
  AskAt,          // text: a command from the control socket
  AskName,        // text: a name from there
  AskPing,        // number: an address from there
  AskReset,       // number: 0 for a restart, 1 for the reset line
  // Answers.
  PortOpened,
  PortMissing,     // as PortLost
  PortRefused,     // as PortLost: what came of the port> or port-line before it
  Gone,            // number: 1 where the program's socket is no longer there
  StreamReadable,  // stream; number: bytes that wait
  StreamInput,     // stream; number: AppStream::Input
  StreamWritable,  // stream; number: 0 or 1
  StreamDrained,   // stream; number: 0 or 1
  StreamIn,        // stream; data: what was read
  ResetDone,       // as PortLost, with number 0 to say that it went well, else the kind plus 1
  // What the cores put out.
  PortOut,       // data
  PortLine,      // number: ModemLine * 2 + asserted
  PortRate,      // number: bits per second
  PortClosed,    // the cores have let go of it
  OuterOut,      // data
  InnerOut,      // data
  StreamOut,     // stream; number: how much was offered; data: what of it was taken
  StreamEnd,     // stream: endOutput()
  StreamReset,   // stream
  StreamClosed,  // stream: the cores have let go of it
  Link,          // text: the link's new state
  Reset,         // the reset line is pulsed
  // What else the cores were given.
  Seed,        // number: of the link's jitter
  PinRefused,  // the PIN was known to be wrong
  // About the capture itself.
  Rules,  // number: an address (a stand-in); text: which rules of the policy speak of it, as "1,3"
  End,    // text: why nothing follows
};
inline constexpr int kKinds = static_cast<int>(Kind::End) + 1;

// As in the file: "port<", "stream-readable".
std::string_view name(Kind kind);
bool isMoment(Kind kind);
bool isAnswer(Kind kind);
bool isOutput(Kind kind);

struct Record {
  async::Duration at{};  // since the capture began
  Kind kind = Kind::End;
  std::uint64_t stream = 0;
  std::uint64_t number = 0;
  std::string text;
  Bytes data;
  unsigned line = 0;  // in the file; from 1
};

// What one record, and one line, can hold: more than any port, TUN or socket gives at once.
inline constexpr std::size_t kMaxData = 65536;
inline constexpr std::size_t kMaxLine = 4 * kMaxData;

// Without the line's end. `comment` is for people.
std::string print(const Record& record, std::string_view comment = {});
// Invalid says what is wrong with the line. `line` is only remembered.
Result<Record> parseRecord(std::string_view text, unsigned line);

// The filler of payload.
inline constexpr Byte kFiller = 'x';

}  // namespace qimux::capture
