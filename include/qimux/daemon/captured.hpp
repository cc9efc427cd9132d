// A capture of this daemon: its head, which has the configuration, and the tap that writes it.
#pragma once

#include "qimux/capture/replay.hpp"
#include "qimux/capture/tap.hpp"
#include "qimux/daemon/config.hpp"

#include <memory>
#include <string>

namespace qimux::daemon {

struct CaptureOptions {
  std::string file;
  bool everything = false;                // with personal data
  std::uint64_t limit = 8 * 1024 * 1024;  // bytes
};

Result<std::unique_ptr<capture::Tap>> openTap(async::Loop& loop, const Config& config,
                                              const CaptureOptions& options);

// The configuration as a capture's head has it. Without personal data: with stand-ins for what names somebody
// or is secret, the same that are used in the records; `stand_ins` may be null for everything.
std::string capturedConfig(const Config& config, capture::StandIns* stand_ins);

// What the head of the capture says the cores were built with. Invalid where its configuration cannot be
// read.
Result<capture::ReplayOptions> replayOptions(const capture::Head& head);

}  // namespace qimux::daemon
