#include "qimux/daemon/config_keys.hpp"

#include <fmt/format.h>

namespace qimux::daemon {

namespace {

using namespace std::chrono_literals;
using Key = ConfigKey<Config>;

// AT+QICSGP with all three texts fits the module's command line of 256 characters.
constexpr std::size_t kMaxApn = 100;
constexpr std::size_t kMaxCredential = 64;

std::string number(std::uint64_t value) {
  return fmt::to_string(value);
}

std::string time(async::Duration value, DurationUnit largest = DurationUnit::Seconds) {
  return tomlString(durationText(value, largest));
}

std::string networks(const std::vector<net::Cidr>& list) {
  std::vector<std::string> texts;
  for (const net::Cidr& each : list) texts.push_back(tomlString(net::text(each)));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

const Choices<serial::FlowControl> kFlowControls = {{"none", serial::FlowControl::None},
                                                    {"rtscts", serial::FlowControl::RtsCts}};
const Choices<OnMissing> kOnMissing = {{name(OnMissing::Wait), OnMissing::Wait},
                                       {name(OnMissing::Exit), OnMissing::Exit}};
const Choices<Acknowledge> kAcknowledge = {{name(Acknowledge::Remote), Acknowledge::Remote},
                                           {name(Acknowledge::Module), Acknowledge::Module},
                                           {name(Acknowledge::Local), Acknowledge::Local}};
const Choices<UsageBy> kUsageBy = {{name(UsageBy::Destination), UsageBy::Destination},
                                   {name(UsageBy::Program), UsageBy::Program},
                                   {name(UsageBy::Off), UsageBy::Off}};

const Choices<SystemDns> kSystemDns = {{name(SystemDns::Auto), SystemDns::Auto},
                                       {name(SystemDns::Resolved), SystemDns::Resolved},
                                       {name(SystemDns::Resolvconf), SystemDns::Resolvconf},
                                       {name(SystemDns::Off), SystemDns::Off}};

std::string commandLine(const std::vector<std::string>& words) {
  return tomlString(fmt::to_string(fmt::join(words, " ")));
}

const std::vector<Key> kSerial = {
    {"serial.device", "text", "The tty of the module; a path that stays the same when it is plugged again.",
     [](const TomlValue& v, Config& c) { return readDevice(v, c.serial.device); },
     [](const Config& c) { return tomlString(c.serial.device); }},
    {"serial.baud", "number", "The line rate, 8 data bits, no parity, 1 stop bit.",
     [](const TomlValue& v, Config& c) { return readBaud(v, c.serial.baud); },
     [](const Config& c) { return number(static_cast<std::uint64_t>(c.serial.baud)); }},
    {"serial.flow_control", "\"none\" or \"rtscts\"", "\"rtscts\" where RTS and CTS are wired.",
     [](const TomlValue& v, Config& c) { return readChoice(v, kFlowControls, c.serial.flow_control); },
     [](const Config& c) {
       return tomlString(c.serial.flow_control == serial::FlowControl::None ? "none" : "rtscts");
     }},
    {"serial.on_missing", "\"wait\" or \"exit\"",
     "What happens where the device is not there: wait for it, or end with code 3.",
     [](const TomlValue& v, Config& c) { return readChoice(v, kOnMissing, c.serial.on_missing); },
     [](const Config& c) { return tomlString(name(c.serial.on_missing)); }},
};

const std::vector<Key> kModule = {
    {"module.apn", "text", "The access point name; a real network needs one.",
     [](const TomlValue& v, Config& c) { return readModuleText(v, kMaxApn, c.module.apn); },
     [](const Config& c) { return tomlString(c.module.apn); }},
    {"module.user", "text", "The access point's user.",
     [](const TomlValue& v, Config& c) { return readModuleText(v, kMaxCredential, c.module.user); },
     [](const Config& c) { return tomlString(c.module.user); }},
    {"module.password", "text", "The access point's password.",
     [](const TomlValue& v, Config& c) { return readModuleText(v, kMaxCredential, c.module.password); },
     [](const Config& c) { return tomlString(c.module.password); }, false, true},
    {"module.pin", "text", "The SIM's PIN, 4 to 8 digits; a wrong one is never tried twice.",
     [](const TomlValue& v, Config& c) { return readPin(v, c.module.pin); },
     [](const Config& c) { return tomlString(c.module.pin); }, false, true},
    {"module.context", "number", "The context, 0 or 1 (AT+QIFGCNT).",
     [](const TomlValue& v, Config& c) { return readNumber(v, 0, 1, c.module.context); },
     [](const Config& c) { return number(static_cast<std::uint64_t>(c.module.context)); }},
    {"module.reset", "text",
     "How the module is reset when nothing else helps: \"none\", \"dtr\", \"rts\", \"gpio:CHIP:LINE\" or "
     "\"command:/path arguments\".",
     [](const TomlValue& v, Config& c) { return readReset(v, c.module.reset); },
     [](const Config& c) { return tomlString(text(c.module.reset)); }},
};

const std::vector<Key> kTun = {
    {"tun.name", "text", "The network interface's name.",
     [](const TomlValue& v, Config& c) { return readInterfaceName(v, c.tun.name); },
     [](const Config& c) { return tomlString(c.tun.name); }},
    {"tun.address", "address/prefix",
     "Its address; the next one is the gateway, which is the name server too.",
     [](const TomlValue& v, Config& c) { return readTunAddress(v, c.tun.address); },
     [](const Config& c) { return tomlString(net::text(c.tun.address)); }},
    {"tun.mtu", "number", "576 to 1488; at 1488 the largest UDP payload fits one command of the module.",
     [](const TomlValue& v, Config& c) { return readMtu(v, c.tun.mtu); },
     [](const Config& c) { return number(static_cast<std::uint64_t>(c.tun.mtu)); }},
    {"tun.routes", "list of networks", "What is routed through the module.",
     [](const TomlValue& v, Config& c) { return readNetworks(v, c.tun.routes); },
     [](const Config& c) { return networks(c.tun.routes); }},
    {"tun.metric", "number", "Of these routes; high, so that any other way out comes first.",
     [](const TomlValue& v, Config& c) { return readNumber(v, 0, 0xffffffff, c.tun.metric); },
     [](const Config& c) { return number(c.tun.metric); }},
    {"tun.hold_offline", "duration", "How long a new connection waits for the network to come back.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 0s, 1h, c.tun.hold_offline); },
     [](const Config& c) { return time(c.tun.hold_offline); }},
    {"tcp.acknowledge", "\"remote\", \"module\" or \"local\"",
     "When a program's bytes count as acknowledged: by the far end, by the module, or by this machine.",
     [](const TomlValue& v, Config& c) { return readChoice(v, kAcknowledge, c.tcp.acknowledge); },
     [](const Config& c) { return tomlString(name(c.tcp.acknowledge)); }},
};

const std::vector<Key> kSockets = {
    {"dns.ttl", "duration", "How long a name's addresses are kept; the module does not tell their own time.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 0s, 24h, c.dns.ttl); },
     [](const Config& c) { return time(c.dns.ttl); }},
    {"dns.cache", "number", "How many names are kept.",
     [](const TomlValue& v, Config& c) { return readNumber(v, 0, 65536, c.dns.cache); },
     [](const Config& c) { return number(c.dns.cache); }},
    {"dns.upstream", "address or address:port",
     "A name server for types other than A and AAAA, asked over a UDP socket; \"\" answers them as empty.",
     [](const TomlValue& v, Config& c) { return readUpstream(v, c.dns.upstream); },
     [](const Config& c) { return tomlString(c.dns.upstream ? net::text(*c.dns.upstream) : ""); }},
    {"dns.system", "\"auto\", \"resolved\", \"resolvconf\" or \"off\"",
     "Who tells the machine's programs about this name server; \"auto\" finds out who is in charge.",
     [](const TomlValue& v, Config& c) { return readChoice(v, kSystemDns, c.dns.system); },
     [](const Config& c) { return tomlString(name(c.dns.system)); }},
    {"sockets.connect_timeout", "duration", "How long the module may take for a connection.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 1s, 10min, c.sockets.connect_timeout); },
     [](const Config& c) { return time(c.sockets.connect_timeout); }},
    {"sockets.connect_queue", "number", "How many connections may wait for one of the six sockets.",
     [](const TomlValue& v, Config& c) { return readNumber(v, 0, 1024, c.sockets.connect_queue); },
     [](const Config& c) { return number(c.sockets.connect_queue); }},
    {"sockets.per_destination", "number", "How many of the six may be connecting to one address at a time.",
     [](const TomlValue& v, Config& c) { return readNumber(v, 1, 6, c.sockets.per_destination); },
     [](const Config& c) { return number(c.sockets.per_destination); }},
    {"sockets.udp_idle", "duration", "After how long without a datagram a UDP socket is given back.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 1s, 24h, c.sockets.udp_idle); },
     [](const Config& c) { return time(c.sockets.udp_idle); }},
    {"sockets.half_close_linger", "duration",
     "How long a connection that the program has closed goes on receiving.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 0s, 1h, c.sockets.half_close_linger); },
     [](const Config& c) { return time(c.sockets.half_close_linger); }},
};

const std::vector<Key> kLife = {
    {"keepalive.idle", "duration", "After how long without data a connection is checked.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 10s, 24h, c.keepalive.idle); },
     [](const Config& c) { return time(c.keepalive.idle, DurationUnit::Minutes); }},
    {"keepalive.first_check", "duration", "How long after a probe its acknowledgement is looked for.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 1s, 10min, c.keepalive.first_check); },
     [](const Config& c) { return time(c.keepalive.first_check); }},
    {"keepalive.interval", "duration", "How long until it is looked for again.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 1s, 10min, c.keepalive.interval); },
     [](const Config& c) { return time(c.keepalive.interval); }},
    {"keepalive.attempts", "number", "How often, before the connection counts as dead and is reset.",
     [](const TomlValue& v, Config& c) { return readNumber(v, 1, 100, c.keepalive.attempts); },
     [](const Config& c) { return number(static_cast<std::uint64_t>(c.keepalive.attempts)); }},
    {"hooks.on_up", "text", "A program and its arguments, run when the link is online; \"\" for none.",
     [](const TomlValue& v, Config& c) { return readCommandLine(v, c.hooks.on_up); },
     [](const Config& c) { return commandLine(c.hooks.on_up); }},
    {"hooks.on_down", "text", "The same, when it is no longer.",
     [](const TomlValue& v, Config& c) { return readCommandLine(v, c.hooks.on_down); },
     [](const Config& c) { return commandLine(c.hooks.on_down); }},
    {"control.socket", "text", "Where qimuxctl finds the daemon.",
     [](const TomlValue& v, Config& c) { return readSocketPath(v, c.control.socket); },
     [](const Config& c) { return tomlString(c.control.socket); }},
    {"control.group", "text", "Whose members may use it; \"\" for root only.",
     [](const TomlValue& v, Config& c) { return readGroup(v, c.control.group); },
     [](const Config& c) { return tomlString(c.control.group); }},
    {"usage.by", "\"destination\", \"program\" or \"off\"",
     "By what the data use is told apart (qimuxctl usage); \"off\" counts nothing.",
     [](const TomlValue& v, Config& c) { return readChoice(v, kUsageBy, c.usage.by); },
     [](const Config& c) { return tomlString(name(c.usage.by)); }},
    {"shutdown.drain", "duration", "How long the end waits for what programs have already written.",
     [](const TomlValue& v, Config& c) { return readDuration(v, 0s, 5min, c.shutdown.drain); },
     [](const Config& c) { return time(c.shutdown.drain); }},
};

std::vector<Key> joined() {
  std::vector<Key> keys;
  for (const auto* part : {&kSerial, &kModule, &kTun, &kSockets, &kLife}) {
    keys.insert(keys.end(), part->begin(), part->end());
  }
  return keys;
}

}  // namespace

const std::vector<ConfigKey<Config>>& settingKeys() {
  static const std::vector<Key> kKeys = joined();
  return kKeys;
}

}  // namespace qimux::daemon
