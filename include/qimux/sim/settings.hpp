// What AT commands set: AT&W and AT+QISCON store it, a reset goes back to what is stored.
#pragma once

#include <array>
#include <string>

namespace qimux::sim {

struct Settings {
  // Stored by AT&W.
  bool echo = true;
  bool verbose = true;
  int cmee = 1;
  unsigned baud = 115200;           // 0: finds it out by itself
  std::array<int, 2> flow{0, 0};    // AT+IFC
  std::array<int, 2> format{3, 3};  // AT+ICF
  // Stored by AT+QISCON.
  bool by_name = false;                 // AT+QIDNSIP
  int prompt = 1;                       // AT+QIPROMPT
  bool head = false;                    // AT+QIHEAD
  bool show_remote = false;             // AT+QISHOWRA
  std::array<std::string, 3> access{};  // AT+QICSGP: name, user, password
  // Never stored.
  int indi = 0;                             // AT+QINDI
  bool data_echo = true;                    // AT+QISDE
  bool buffer_remain = false;               // AT+QCFG="TCP/BufferRemain"
  bool call_ready = true;                   // AT+QIURC
  int sleep = 0;                            // AT+QSCLK
  std::array<int, 3> keepalive{1, 60, 10};  // AT+QIKALIVE
};

}  // namespace qimux::sim
