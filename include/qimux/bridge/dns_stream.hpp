// DNS over TCP: messages with a length of two bytes before each (RFC 1035 4.2.2, RFC 7766).
#pragma once

#include "qimux/base/bytes.hpp"

#include <vector>

namespace qimux::bridge {

class DnsStream {
 public:
  // The messages that `bytes` completes, in order. Keeps at most one incomplete message, of at most
  // kMaxDnsQuery bytes.
  std::vector<Bytes> feed(ByteView bytes);

  // A length of 0, or more than a question can have: what follows means nothing, feed() returns nothing more,
  // and the connection is to be closed.
  bool failed() const { return failed_; }

  // `message` with its length before it, ready to send. At most 65535 bytes.
  static Bytes frame(ByteView message);

 private:
  Bytes pending_;  // length and body so far
  bool failed_ = false;
};

}  // namespace qimux::bridge
