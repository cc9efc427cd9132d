#include "qimux/daemon/journal.hpp"

#include <fmt/format.h>

#ifdef QIMUX_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#endif

namespace qimux::daemon {

std::vector<std::string> journalEntry(log::Level level, std::string_view message, log::Fields fields) {
  std::vector<std::string> entry;
  entry.push_back(fmt::format("MESSAGE={}", message));
  entry.push_back(fmt::format("PRIORITY={}", log::priority(level)));
  for (const auto& field : fields) entry.push_back(fmt::format("{}={}", field.name, field.value));
  return entry;
}

#ifdef QIMUX_SYSTEMD

namespace {

bool send(log::Level level, std::string_view message, log::Fields fields) {
  std::vector<std::string> entry = journalEntry(level, message, fields);
  // As the lines of standard error have it: the unit says it there.
  entry.emplace_back("SYSLOG_IDENTIFIER=qimuxd");
  std::vector<iovec> parts;
  parts.reserve(entry.size());
  for (auto& each : entry) parts.push_back({each.data(), each.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace

void useJournal() {
  if (log::toJournal()) log::setSink(send);
}

#else

void useJournal() {}

#endif

}  // namespace qimux::daemon
