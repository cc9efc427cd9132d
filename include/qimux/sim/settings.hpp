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

// What AT&W stores of what programs set for telephone modems.
struct ModemSettings {
  bool quiet = false;    // ATQ
  int result_codes = 4;  // ATX
  int carrier = 1;       // AT&C
  // By number: ATS0 rings, ATS3 to ATS5 characters, ATS6 to ATS10 waiting times.
  std::array<int, 11> registers{0, 0, 0, 13, 10, 8, 2, 60, 2, 0, 15};
};

// Of the telephone: what is gone after a restart.
struct PhoneSettings {
  int operator_mode = 0;           // AT+COPS
  int operator_format = 0;         // the same
  bool own_numbers = false;        // AT+CPBS
  bool caller_number = false;      // AT+CLIP
  bool network_talk = false;       // AT+CUSD
  bool take_network_time = false;  // AT+CTZU
  // AT+QNTP, and that its answer is not there yet.
  std::string time_server = "210.72.145.44";
  int time_port = 123;
  bool asking_time = false;
};

struct Settings {
  // Stored by AT&W.
  bool echo = true;
  bool verbose = true;
  int cmee = 1;
  int dtr_action = 0;  // AT&D
  ModemSettings modem;
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
  PhoneSettings phone;
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
