// AT+QITCFG: how transparent mode makes packets of what is typed (application note 4).
struct Transparent {
  int retries = 3;     // inside the module, without a visible effect
  int wait = 2;        // 100 ms: what is typed waits so long for more
  int size = 1024;     // bytes that go out at once
  bool escape = true;  // +++ leads to command mode
};

// AT+QIAUTOS: what is typed behind AT+QISEND goes out after so many seconds (application note 5.2.2.3).
struct TimedSending {
  bool on = false;
  int period = 1;
};

// What AT commands set: AT&W and AT+QISCON store it, a reset goes back to what is stored.
#pragma once

#include "qimux/sim/context.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace qimux::sim {

struct Settings {
  // Stored by AT&W.
  bool echo = true;
  bool verbose = true;
  int cmee = 1;
  int dtr_action = 0;               // AT&D
  unsigned baud = 115200;           // 0: finds it out by itself
  std::array<int, 2> flow{0, 0};    // AT+IFC
  std::array<int, 2> format{3, 3};  // AT+ICF
  // Stored by AT+QISCON.
  bool by_name = false;                 // AT+QIDNSIP
  int prompt = 1;                       // AT+QIPROMPT
  bool head = false;                    // AT+QIHEAD
  bool show_remote = false;             // AT+QISHOWRA
  Transparent transparent;              // AT+QITCFG
  std::array<std::string, 3> access{};  // AT+QICSGP: name, user, password
  // Never stored.
  int indi = 0;                // AT+QINDI
  Role role = Role::Client;    // AT+QISRVC
  bool show_local = false;     // AT+QISHOWLA
  bool show_protocol = false;  // AT+QISHOWPT
  TimedSending timed;          // AT+QIAUTOS
  // AT+QILPORT: TCP, UDP.
  std::array<std::uint16_t, 2> local_ports{2020, 3030};
  bool data_echo = true;                    // AT+QISDE
  bool buffer_remain = false;               // AT+QCFG="TCP/BufferRemain"
  bool call_ready = true;                   // AT+QIURC
  int sleep = 0;                            // AT+QSCLK
  std::array<int, 3> keepalive{1, 60, 10};  // AT+QIKALIVE
};

}  // namespace qimux::sim
