#include "qimux/daemon/journal.hpp"

#include "support/catch.hpp"

#include <array>

using namespace qimux;
using Entry = std::vector<std::string>;

TEST_CASE("an entry of the journal has the message, its priority, and the fields by name") {
  constexpr std::array<log::Field, 2> fields{{{"LINK_STATE", "online"}, {"SOCKET", "3"}}};
  CHECK(daemon::journalEntry(log::Level::Notice, "link: online", fields) ==
        Entry{"MESSAGE=link: online", "PRIORITY=5", "LINK_STATE=online", "SOCKET=3"});
  CHECK(daemon::journalEntry(log::Level::Error, "no", {}) == Entry{"MESSAGE=no", "PRIORITY=3"});
}
