#include "qimux/ctl/machine.hpp"

#include "qimux/base/bytes.hpp"
#include "qimux/base/file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace qimux::ctl {
namespace {

namespace fs = std::filesystem;

// Below /proc; 0 where it is no process.
pid_t pidOf(const fs::path& entry) {
  const std::string name = entry.filename();
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? pid : 0;
}

bool isPty(const fs::path& device) {
  return device.parent_path().filename() == "pts";
}

template <typename Call>
void eachEntry(const fs::path& directory, Call call) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    call(entry->path());
}

// Who has the other end of a pty mostly keeps this one open too, so that it stays; that is no use of it.
bool hasOpen(const fs::path& process, const fs::path& device) {
  bool found = false;
  bool other_end = false;
  eachEntry(process / "fd", [&](const fs::path& fd) {
    std::error_code error;
    const fs::path target = fs::read_symlink(fd, error);
    found = found || target == device;
    other_end = other_end || target.filename() == "ptmx";
  });
  return found && !(other_end && isPty(device));
}

// Only what cannot end a quoted text of a rule: a serial number is whatever its maker wrote.
bool isPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:").contains(c);
  });
}

}  // namespace

std::optional<std::string> firstLine(const std::string& path) {
  constexpr std::size_t kMost = 64 * 1024;
  const auto text = readFile(path, kMost);
  if (!text) return std::nullopt;
  std::string line = text->substr(0, text->find('\n'));
  line.erase(line.find_last_not_of(" \t\r") + 1);
  return line;
}

// Not opened: that would raise DTR on a module that somebody uses. What is a tty stands below tty in sysfs.
bool isTty(const std::string& device) {
  struct stat state{};
  std::error_code error;
  if (::stat(device.c_str(), &state) != 0 || !S_ISCHR(state.st_mode)) return false;
  const auto node = fmt::format("/sys/dev/char/{}:{}/subsystem", major(state.st_rdev), minor(state.st_rdev));
  return isPty(fs::canonical(device, error)) || fs::canonical(node, error).filename() == "tty";
}

std::vector<Holder> holders(const std::string& device, const std::string& proc) {
  std::error_code error;
  const fs::path resolved = fs::canonical(device, error);
  std::vector<Holder> found;
  if (error) return found;
  eachEntry(proc, [&](const fs::path& process) {
    const pid_t pid = pidOf(process);
    if (pid == 0 || pid == ::getpid() || !hasOpen(process, resolved)) return;
    found.push_back(Holder{pid, printable(firstLine(process / "comm").value_or("?"))});
  });
  return found;
}

std::string text(const std::vector<Holder>& holders) {
  std::string out;
  for (const Holder& holder : holders)
    out += fmt::format("{}{} (pid {})", out.empty() ? "" : ", ", holder.name, holder.pid);
  return out;
}

std::vector<pid_t> processes(std::string_view name, const std::string& proc) {
  constexpr std::size_t kKept = 15;
  std::vector<pid_t> found;
  eachEntry(proc, [&](const fs::path& process) {
    const pid_t pid = pidOf(process);
    if (pid != 0 && firstLine(process / "comm") == name.substr(0, kKept)) found.push_back(pid);
  });
  return found;
}

Tty describeTty(const std::string& device, const std::string& sys) {
  Tty tty;
  std::error_code error;
  const std::string kernel = fs::canonical(device, error).filename();
  fs::path place = fs::canonical(fs::path(sys) / "class/tty" / kernel / "device", error);
  if (error || kernel.empty()) return tty;
  tty.kernel = kernel;
  const fs::path top = fs::canonical(sys, error);
  for (; place != top && place.has_relative_path(); place = place.parent_path()) {
    if (fs::exists(place / "bInterfaceNumber", error)) tty.interface = place.filename();
    const auto vendor = firstLine(place / "idVendor");
    if (!vendor) continue;
    tty.vendor = *vendor;
    tty.product = firstLine(place / "idProduct").value_or("");
    tty.serial = firstLine(place / "serial").value_or("");
    std::string count = firstLine(place / "bNumInterfaces").value_or("");
    count.erase(0, count.find_first_not_of(' '));
    std::from_chars(count.data(), count.data() + count.size(), tty.interfaces);
    break;
  }
  return tty;
}

std::optional<std::string> udevRule(const Tty& tty, std::string_view name) {
  if (tty.kernel.empty()) return std::nullopt;
  const std::string head = "SUBSYSTEM==\"tty\", ";
  const std::string tail = fmt::format(", ENV{{QIMUX}}=\"{}\"", name);
  // Two functions of one adapter have the same number; all that looks upwards must match at one place.
  if (!tty.serial.empty() && isPlain(tty.serial) && tty.interfaces == 1) {
    return head +
           fmt::format("ATTRS{{idVendor}}==\"{}\", ATTRS{{idProduct}}==\"{}\", ATTRS{{serial}}==\"{}\"",
                       tty.vendor, tty.product, tty.serial) +
           tail;
  }
  if (!tty.interface.empty()) return head + fmt::format("KERNELS==\"{}\"", tty.interface) + tail;
  return head + fmt::format("KERNEL==\"{}\"", tty.kernel) + tail;
}

}  // namespace qimux::ctl
