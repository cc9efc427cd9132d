// What this machine tells of a serial device: what it is plugged to, and who has it open.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::ctl {

// A process that has a device open.
struct Holder {
  pid_t pid = 0;
  std::string name;
};

// Whether `device` is there, and a tty. It is not opened.
bool isTty(const std::string& device);

// Those of `device` that this user may see, itself not among them. A symbolic link is followed.
std::vector<Holder> holders(const std::string& device, const std::string& proc = "/proc");
// "qimuxd (pid 812)", "ModemManager (pid 7), chat (pid 9)"
std::string text(const std::vector<Holder>& holders);

// Processes of that name. (The kernel keeps 15 characters of it.)
std::vector<pid_t> processes(std::string_view name, const std::string& proc = "/proc");

// A tty as udev sees it.
struct Tty {
  std::string kernel;  // "ttyUSB0"; empty: none of udev's, as a pty
  // Of a USB adapter; else empty.
  std::string vendor;     // "0403"
  std::string product;    // "6001"
  std::string serial;     // empty for many cheap ones
  std::string interface;  // "1-1.2:1.0": the port it is plugged into, and which of its functions
  int interfaces = 0;     // how many it has
};
Tty describeTty(const std::string& device, const std::string& sys = "/sys");

// The line for /etc/udev/rules.d that gives `device` the name `name`: by its serial number where it has one
// of its own, else by the port it is plugged into, else by the name of the on-board UART. Nothing for a tty
// that is none of udev's.
std::optional<std::string> udevRule(const Tty& tty, std::string_view name);

// The first line of a small file without its end, or nothing.
std::optional<std::string> firstLine(const std::string& path);

}  // namespace qimux::ctl
