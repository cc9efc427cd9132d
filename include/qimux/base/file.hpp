// A file that others read while it is being written, or after a loss of power: it is there whole, or as it
// was.
#pragma once

#include "qimux/base/error.hpp"

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace qimux {

// Writes `text` to a temporary file beside `path`, makes sure that it is on the disk, and renames it to
// `path`, which has `mode` then, whatever the umask, and where it is root who writes the owner and group of
// its directory. When it returns the name is on the disk, too. System: nothing is left behind, and `path` is
// as it was, unless it is only the name that may not outlive a loss of power.
Result<void> replaceFile(const std::string& path, std::string_view text, mode_t mode);

// Removes what replaceFile(path) has left behind where it was cut off: a temporary file that nobody will ever
// rename. Not while another may be writing `path`.
void removeLeftovers(const std::string& path);

// The whole content. System: not there, or not readable. Full: more than `most` bytes.
Result<std::string> readFile(const std::string& path, std::size_t most);

}  // namespace qimux
