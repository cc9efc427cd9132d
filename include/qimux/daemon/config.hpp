// The configuration: what /etc/qimuxd/qimuxd.toml may say, checked, with a default for everything.
//
// Every value here has passed the checks of its key, so that it can be used as it is: texts that reach the
// module hold no CR, LF, quote, Ctrl-Z or other control byte, and numbers are in their ranges.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/bridge/policy.hpp"
#include "qimux/module/sockets.hpp"
#include "qimux/net/address.hpp"
#include "qimux/serial/reset_line.hpp"
#include "qimux/serial/tty_port.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::daemon {

// What happens where the serial device is not there.
enum class OnMissing { Wait, Exit };
std::string_view name(OnMissing what);

// Whose word the kernel's acknowledgements wait for: the far end's, the module's, or nobody's.
enum class Acknowledge { Remote, Module, Local };
std::string_view name(Acknowledge whose);

// Who tells the machine's programs about our name server.
enum class SystemDns { Auto, Resolved, Resolvconf, Off };
std::string_view name(SystemDns who);

// By what the data use is told apart; Off: it is not counted.
enum class UsageBy { Destination, Program, Off };
std::string_view name(UsageBy what);

// As the configuration writes it: "none", "dtr", "rts", "gpio:CHIP:LINE", "command:/path arg".
std::string text(const serial::ResetSettings& reset);

// What is sent over an idle connection to this port, to hear whether it is alive (application note 6.1).
struct Probe {
  std::uint16_t port = 0;
  Bytes payload;  // 1 to 1460 bytes
  friend bool operator==(const Probe&, const Probe&) = default;
};

// A port of the module that leads to a program here (AT+QISERVER).
struct Listen {
  module::Protocol protocol = module::Protocol::Tcp;
  std::uint16_t port = 0;
  net::Endpoint to;
  friend bool operator==(const Listen&, const Listen&) = default;
};

struct Config {
  struct Serial {
    std::string device = "/dev/gsm0";
    int baud = 115200;
    serial::FlowControl flow_control = serial::FlowControl::None;
    OnMissing on_missing = OnMissing::Wait;
    friend bool operator==(const Serial&, const Serial&) = default;
  };
  struct Module {
    std::string apn;
    std::string user;
    std::string password;
    std::string pin;
    int context = 0;
    serial::ResetSettings reset;
    friend bool operator==(const Module&, const Module&) = default;
  };
  struct Tun {
    std::string name = "gsm0";
    net::Cidr address{0x0a404001, 30};  // 10.64.64.1/30
    int mtu = 1488;  // 1460 bytes of payload, which is one QISEND, and 28 of IP and UDP headers
    std::vector<net::Cidr> routes{net::Cidr{}};
    std::uint32_t metric = 700;
    async::Duration hold_offline = std::chrono::seconds(30);
    // The name server, and who answers for the network.
    std::uint32_t gateway() const { return address.address + 1; }
    friend bool operator==(const Tun&, const Tun&) = default;
  };
  struct Tcp {
    Acknowledge acknowledge = Acknowledge::Remote;
    friend bool operator==(const Tcp&, const Tcp&) = default;
  };
  struct Dns {
    async::Duration ttl = std::chrono::seconds(60);
    std::size_t cache = 512;
    std::optional<net::Endpoint> upstream;
    SystemDns system = SystemDns::Auto;
    friend bool operator==(const Dns&, const Dns&) = default;
  };
  struct Sockets {
    async::Duration connect_timeout = std::chrono::seconds(80);
    std::size_t connect_queue = 64;
    std::size_t per_destination = 2;
    async::Duration udp_idle = std::chrono::seconds(300);
    async::Duration half_close_linger = std::chrono::seconds(30);
    friend bool operator==(const Sockets&, const Sockets&) = default;
  };
  struct Keepalive {
    async::Duration idle = std::chrono::minutes(8);
    async::Duration first_check = std::chrono::seconds(5);
    async::Duration interval = std::chrono::seconds(10);
    int attempts = 12;
    std::vector<Probe> probes;  // one a port
    friend bool operator==(const Keepalive&, const Keepalive&) = default;
  };
  // Programs that are run when the link comes and goes: an absolute path and arguments, or nothing.
  struct Hooks {
    std::vector<std::string> on_up;
    std::vector<std::string> on_down;
    friend bool operator==(const Hooks&, const Hooks&) = default;
  };
  struct Control {
    std::string socket = "/run/qimuxd/control.sock";
    std::string group = "qimux";  // empty: root only
    friend bool operator==(const Control&, const Control&) = default;
  };
  struct Usage {
    UsageBy by = UsageBy::Destination;
    friend bool operator==(const Usage&, const Usage&) = default;
  };
  struct Shutdown {
    async::Duration drain = std::chrono::seconds(5);
    friend bool operator==(const Shutdown&, const Shutdown&) = default;
  };

  Serial serial;
  Module module;
  Tun tun;
  Tcp tcp;
  Dns dns;
  Sockets sockets;
  Keepalive keepalive;
  std::vector<Listen> listen;
  std::vector<bridge::PolicyRule> policy;
  Hooks hooks;
  Control control;
  Usage usage;
  Shutdown shutdown;
  friend bool operator==(const Config&, const Config&) = default;
};

struct ConfigError {
  std::string file;
  unsigned line = 0;  // from 1; 0: the file as a whole
  unsigned column = 0;
  std::string key;      // "serial.baud"; empty where it is not about one
  std::string message;  // what is wrong; what to do
  // "/etc/qimuxd/qimuxd.toml:3: serial.baud: 1234 is no line rate; choose one of ..."
  std::string text() const;
};
using ConfigErrors = std::vector<ConfigError>;

inline constexpr std::string_view kDefaultConfigFile = "/etc/qimuxd/qimuxd.toml";
// Longer files are refused unread.
inline constexpr std::size_t kMaxConfigFile = 64 * 1024;

// `toml` is the text of `file`, which only serves the errors. All errors of a file come at once, in its
// order; only where it is no TOML at all the first is alone.
std::expected<Config, ConfigErrors> parseConfig(std::string_view toml, std::string_view file);
// Without `file` the default one, and the defaults where that does not exist. A `file` that was asked for
// must.
std::expected<Config, ConfigErrors> loadConfig(const std::optional<std::string>& file);

// One key from elsewhere, the command line, with the checks of the file: "serial.device", "tun.name", any key
// whose value is a text. What is wrong, where it is; `config` is unchanged then.
std::optional<std::string> setConfigKey(Config& config, std::string_view key, std::string_view value);

// The whole configuration as TOML, defaults included. Secrets are "***".
std::string describe(const Config& config);

struct KeyDoc {
  std::string key;           // "serial.baud"; of a list "policy.action"
  std::string type;          // "text", "number", "duration", "\"none\" or \"rtscts\"", ...
  std::string default_text;  // as TOML; empty for keys of lists that must be given, or may be left out
  std::string help;
};
// Every key there is, in the order of the documentation.
std::vector<KeyDoc> configKeys();

}  // namespace qimux::daemon
