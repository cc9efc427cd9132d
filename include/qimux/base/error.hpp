// The one error type of the project, and Result<T>, which every fallible call returns.
//
// Exceptions are only for defects of our own and for out of memory; whatever the module, the network, the
// kernel or a user can cause is an Error.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace qimux {

enum class ErrorKind {
  Cancelled,  // the asker went away, or the part that would have answered did
  Timeout,    // no answer within the deadline
  Refused,    // the module answered ERROR, +CME ERROR, +CMS ERROR
  Full,       // no room now; the same call may succeed later (SEND FAIL, a bounded queue)
  Closed,     // the socket, stream or port is no longer there
  Garbled,    // an answer that no reading of the note explains
  Invalid,    // a value that may not be sent, stored or used
  System,     // the kernel refused a system call
};

// The kind in lower case, as in the journal and in JSON.
std::string_view name(ErrorKind kind);

struct Error {
  ErrorKind kind;
  std::string what;   // the command, call or key that failed, as its user knows it
  std::string reply;  // what the module or the kernel said to it, or why it cannot be

  // "AT+QIACT: +CME ERROR: 148 (refused)"
  std::string text() const;
};

// System with the text of `error_number`.
Error systemError(std::string_view what, int error_number);

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace qimux
