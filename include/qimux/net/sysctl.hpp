// Kernel settings of the caller's network namespace, under /proc/sys.
#pragma once

#include "qimux/base/error.hpp"

#include <string>
#include <string_view>

namespace qimux::net {

// `path` is below /proc/sys, with slashes: "net/ipv4/conf/gsm0/rp_filter". System where it cannot be written,
// which in a sandbox with ProtectKernelTunables is everything.
Result<void> writeSysctl(std::string_view path, std::string_view value);
// Where it is better with the setting but works without: a failure is a line for debugging.
void trySysctl(std::string_view path, std::string_view value);
// Without the line end.
Result<std::string> readSysctl(std::string_view path);

}  // namespace qimux::net
