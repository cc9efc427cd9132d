// What the command line says, made into what the parts of the program want. Every error is Invalid and names
// the option, its value, and what it must be.
#pragma once

#include "qimux/sim/program.hpp"
#include "qimux/sim/socket_network.hpp"

namespace qimux::sim {

// That there is one port, and not two.
Result<void> checkPort(const ProgramOptions& options);
Result<Options> moduleOptions(const ProgramOptions& options);
Result<SocketNetwork::Config> networkConfig(const ProgramOptions& options);

}  // namespace qimux::sim
