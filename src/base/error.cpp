#include "qimux/base/error.hpp"

#include <fmt/format.h>

#include <cstring>

namespace qimux {

std::string_view name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Cancelled:
      return "cancelled";
    case ErrorKind::Timeout:
      return "timeout";
    case ErrorKind::Refused:
      return "refused";
    case ErrorKind::Full:
      return "full";
    case ErrorKind::Closed:
      return "closed";
    case ErrorKind::Garbled:
      return "garbled";
    case ErrorKind::Invalid:
      return "invalid";
    case ErrorKind::System:
      return "system";
  }
  return "unknown";
}

std::string Error::text() const {
  if (reply.empty()) return fmt::format("{}: {}", what, name(kind));
  return fmt::format("{}: {} ({})", what, reply, name(kind));
}

Error systemError(std::string_view what, int error_number) {
  return Error{ErrorKind::System, std::string(what), std::strerror(error_number)};
}

}  // namespace qimux
