// The door for faults while the simulator runs: a unix stream socket that takes one verb a line (fault.hpp)
// and answers each with "ok" or "error" and the reason.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/error.hpp"

#include <memory>
#include <string>

namespace qimux::sim {

class Module;

class ControlServer {
 public:
  virtual ~ControlServer() = default;
};

// Serves until destroyed; then `path` is removed. Several clients at a time.
Result<std::unique_ptr<ControlServer>> openControl(async::UvLoop& loop, const std::string& path,
                                                   Module& module);

}  // namespace qimux::sim
