// One AT command and what its answer looks like. Most end with OK; the ones of the TCP/IP stack often do not.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::at {

struct Command {
  enum class Ending {
    Ok,         // [information lines] OK
    Open,       // OK; or "ALREADY CONNECT", with or without an ERROR behind it       (3.3)
    Resolve,    // OK; bare addresses follow, or "ERROR: n", as URCs              (8.2)
    CloseOk,    // "n, CLOSE OK" or "CLOSE OK", no OK                          (application note 5.4)
    DeactOk,    // "DEACT OK", no OK                                           (5.5)
    Address,    // a bare dotted address, no OK                                (3)
    Send,       // prompt, then `payload`, then "SEND OK" or "SEND FAIL"       (5.2.1)
    Read,       // a "+QIRD:" header and its block, then OK; only OK: empty    (5.3.2)
    StateList,  // OK, "STATE: …", six "+QISTATE:" lines, on some firmware OK  (5.6.2)
    PowerDown,  // "NORMAL POWER DOWN" or OK
  };

  // What else a Send may meet: with an ESC in its payload, an OK in the place of "SEND OK" is a module that
  // has cancelled it (application note 5.2.1.2): Cancelled.

  std::string text;  // without its CR
  async::Duration deadline;
  Ending ending = Ending::Ok;
  // Information lines of the answer begin with it; "*" takes every line that is no URC. Others are URCs.
  std::string prefix;
  ByteView payload;  // Send only; must live until the command has ended

  Command(std::string line, async::Duration limit, Ending how = Ending::Ok, std::string info = {})
      : text(std::move(line)), deadline(limit), ending(how), prefix(std::move(info)) {}
};

struct Reply {
  std::vector<std::string> lines;  // information lines, in order, at most kMaxLines
  Bytes block;                     // Read: the payload
  static constexpr std::size_t kMaxLines = 64;
};

// A line that ends a command as a failure: "ERROR", "+CME ERROR: …", "+CMS ERROR: …". The text is what
// follows.
std::optional<std::string> failure(std::string_view line);

// The command had an answer, whichever: the channel is in step.
bool answered(const Error& error);

// "+CME ERROR: 14" -> 14, in a Refused error's reply. Nothing where it was a bare ERROR or a text.
std::optional<int> cmeCode(const Error& error);

}  // namespace qimux::at
