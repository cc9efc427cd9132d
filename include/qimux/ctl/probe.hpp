// Whether a module answers at a serial port, and which.
//
// Only questions are asked: nothing that the module is set to is changed. Each try is a channel of its own,
// because one that had no answer is in doubt, and what settles that is too much for whatever else might be
// wired there.
#pragma once

#include "qimux/async/task.hpp"
#include "qimux/ctl/machine.hpp"
#include "qimux/serial/port.hpp"

#include <optional>
#include <span>
#include <string>

namespace qimux::ctl {

// What modules are set to, the likely ones first.
inline constexpr int kProbeRates[] = {115200, 9600, 57600, 38400, 19200, 4800, 230400, 460800};

struct Found {
  int baud = 0;
  std::string identity;  // of ATI, in one line: "Quectel_Ltd Quectel_M95 Revision: M95FAR02A08"
  std::string model;     // AT+GMM
  std::string revision;  // AT+GMR
  std::string imei;      // AT+GSN, where it was asked for
  std::string sim;       // AT+CPIN?: "READY", "SIM PIN", or what was refused
  bool stack = false;    // AT+QIMUX? is known: it has the TCP/IP stack that qimuxd needs
  // AT+QINDI=? lists 2: it tells the size of each packet, so datagrams keep their boundaries. Nothing where
  // it does not say.
  std::optional<bool> packet_sizes;
};

// The first of `rates` at which the module on `port` answers, and what it says there; nothing where none is.
async::Task<std::optional<Found>> findModule(async::Loop& loop, serial::Port& port,
                                             std::span<const int> rates, bool ask_imei);

// For people: what was found, and the lines to paste. `instance`: the name of the interface.
std::string renderFound(const Found& found, const std::string& device, const Tty& tty,
                        const std::string& instance);

}  // namespace qimux::ctl
