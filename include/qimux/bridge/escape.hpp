// What ESC (0x1b) is to this module inside a send of announced length.
//
// Application note 5.2.1.2 says that it cancels the send; on every module that has been looked at it is data.
// What the module in the field does is found out by the first ESC that has to be sent. A part of a stream is
// cut right behind it, so that nothing stands behind the ESC which a module that cancels would read as
// commands. Where it cancels, it cannot be sent at all: the stream that contains it ends with a reset, a
// datagram is dropped. Nothing is ever cut short in silence.
#pragma once

#include "qimux/base/bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace qimux::bridge {

class EscapeRule {
 public:
  enum class Meaning { Unknown, Data, Cancels };

  // The module that is served now. True where it is another one than before: nothing is known of it.
  bool meet(std::string_view module);
  Meaning meaning() const { return meaning_; }

  // How many bytes from the front of a stream one send may carry; 0 where the first of them never can.
  std::size_t streamPart(ByteView bytes) const;
  // Whether this may be sent as a datagram, which cannot be cut. While nothing is known, one that could be
  // read as a command behind its ESC may not.
  bool datagramMayGo(ByteView bytes) const;

  // What came of a send.
  void taken(ByteView payload);
  // The module has not taken it; `said_so`: it has answered OK in the place of SEND OK. Silence convinces
  // only the second time.
  void cancelled(ByteView payload, bool said_so);

 private:
  Meaning meaning_ = Meaning::Unknown;
  std::string module_;
  int silent_ = 0;
};

std::string_view name(EscapeRule::Meaning meaning);

}  // namespace qimux::bridge
