// Unsolicited result codes: what the module says unasked, and late results of commands whose OK came long
// before.
//
// They are matched as whole lines, in every spelling that modules have been seen to use (with and without
// blanks, with and without an index): "SEND OK" and "0, CONNECT OK" both hold "OK", so nothing is searched
// for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::at {

struct Urc {
  enum class Kind {
    ConnectOk,       // index                       QIOPEN has succeeded (application note 3.3)
    ConnectFail,     // index                       it has not
    AlreadyConnect,  // index, -1 where unsaid      the index was in use
    Closed,          // index                       by the far end or the network (6.3)
    DataArrived,     // index, backlog fields       +QIRDI (5.3.2)
    Pushed,          // index, length               +RECEIVE: a module that forgot AT+QINDI
    RemoteIp,        // index, address              a client has come to our server (3.4)
    PdpDeact,        //                             the context and all sockets are gone (6.3)
    Ready,           // RDY                         the module has started anew: everything is gone
    SimState,        // text                        +CPIN
    CallReady,
    SmsReady,
    Functionality,  // value                       +CFUN
    Registration,   // value                       +CREG, +CGREG with n=1 or 2
    DnsAddress,     // address                     one line of AT+QIDNSGIP's answer (8.2)
    DnsError,       // value                       "ERROR: n"
    StackState,     // text                        "STATE: …" behind a DNS error
    Ping,           // text                        +QPING
    PowerDown,      //                             the module is switching off
    Voltage,        // text                        UNDER_VOLTAGE or OVER_VOLTAGE
    Unknown,        // text                        RING, +CMTI and everything else
  };
  Kind kind = Kind::Unknown;
  int index = -1;
  std::uint32_t address = 0;  // host order
  std::uint32_t value = 0;
  // DataArrived: the context, the role (1 client, 2 server), and with AT+QINDI=2 what waits.
  struct Backlog {
    std::uint32_t packets = 0;
    std::uint32_t newest = 0;  // bytes in the packet that has just come
    std::uint32_t total = 0;   // bytes that wait
  };
  int role = 1;
  std::optional<Backlog> backlog;
  std::string text;
};

// The line as a URC. `dns_pending`: only then is a bare address or "ERROR: n" one. Never fails: what nothing
// else fits is Unknown.
Urc parseUrc(std::string_view line, bool dns_pending);

// "CONNECT OK" of "2, CONNECT OK" and of "2,CONNECT OK", with the index; -1 where the line has none.
struct Indexed {
  int index = -1;
  std::string_view text;
};
Indexed splitIndex(std::string_view line);

}  // namespace qimux::at
