#include "qimux/ctl/machine.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace qimux;
using namespace qimux::ctl;
namespace fs = std::filesystem;

namespace {

// A tree like /sys and /proc, as far as it is looked at.
struct Tree {
  Tree() {
    std::string pattern = "/tmp/qimuxctl-tree-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Tree() { fs::remove_all(path); }
  void file(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
  }
  void link(const std::string& name, const std::string& target) const {
    fs::create_directories((path / name).parent_path());
    fs::create_directories(path / target);
    fs::create_symlink(path / target, path / name);
  }
  // A USB adapter at port 1-1.2 whose tty is ttyUSB0.
  void adapter(const std::string& serial, const std::string& interfaces) const {
    file("sys/devices/usb1/1-1.2/idVendor", "0403\n");
    file("sys/devices/usb1/1-1.2/idProduct", "6001\n");
    file("sys/devices/usb1/1-1.2/bNumInterfaces", " " + interfaces + "\n");
    if (!serial.empty()) file("sys/devices/usb1/1-1.2/serial", serial + "\n");
    file("sys/devices/usb1/1-1.2/1-1.2:1.0/bInterfaceNumber", "00\n");
    link("sys/class/tty/ttyUSB0/device", "sys/devices/usb1/1-1.2/1-1.2:1.0/ttyUSB0");
    file("dev/ttyUSB0", "");
  }
  Tty tty(const std::string& name) const { return describeTty(path / "dev" / name, path / "sys"); }
  fs::path path;
};

}  // namespace

TEST_CASE("a USB adapter with a serial number: the rule goes by it") {
  const Tree tree;
  tree.adapter("A900J1XY", "1");
  const Tty tty = tree.tty("ttyUSB0");
  CHECK(tty.kernel == "ttyUSB0");
  CHECK(tty.interface == "1-1.2:1.0");
  CHECK(
      udevRule(tty, "gsm0") ==
      R"(SUBSYSTEM=="tty", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", ATTRS{serial}=="A900J1XY", ENV{QIMUX}="gsm0")");
}

TEST_CASE("one without, one of several functions, or one that could break a rule: by its port") {
  const std::string by_port = R"(SUBSYSTEM=="tty", KERNELS=="1-1.2:1.0", ENV{QIMUX}="gsm1")";
  for (const auto& [serial, interfaces] :
       {std::pair<std::string, std::string>{"", "1"}, {"A900J1XY", "4"}, {"x\", RUN+=\"y", "1"}}) {
    const Tree tree;
    tree.adapter(serial, interfaces);
    CHECK(udevRule(tree.tty("ttyUSB0"), "gsm1") == by_port);
  }
}

TEST_CASE("an on-board UART goes by its name, a pty has no rule") {
  const Tree tree;
  tree.link("sys/class/tty/ttyAMA0/device", "sys/devices/platform/serial0");
  tree.file("dev/ttyAMA0", "");
  fs::create_symlink(tree.path / "dev/ttyAMA0", tree.path / "dev/gsm0");
  CHECK(udevRule(tree.tty("ttyAMA0"), "gsm0") == R"(SUBSYSTEM=="tty", KERNEL=="ttyAMA0", ENV{QIMUX}="gsm0")");
  CHECK(tree.tty("gsm0").kernel == "ttyAMA0");
  tree.file("dev/3", "");
  CHECK_FALSE(udevRule(tree.tty("3"), "gsm0"));
  CHECK_FALSE(udevRule(tree.tty("none"), "gsm0"));
}

TEST_CASE("who has a device open") {
  const Tree tree;
  const std::string device = tree.path / "dev/ttyUSB0";
  tree.file("dev/ttyUSB0", "");
  tree.file("proc/812/comm", "qimuxd\n");
  fs::create_directories(tree.path / "proc/812/fd");
  fs::create_symlink(device, tree.path / "proc/812/fd/7");
  tree.file("proc/813/comm", "sh\n");
  fs::create_directories(tree.path / "proc/813/fd");
  fs::create_symlink("/dev/null", tree.path / "proc/813/fd/0");
  tree.file("proc/self/comm", "x\n");
  CHECK(text(holders(device, tree.path / "proc")) == "qimuxd (pid 812)");
  CHECK(holders(tree.path / "dev/none", tree.path / "proc").empty());
  CHECK(text({}).empty());
  CHECK(processes("qimuxd", tree.path / "proc") == std::vector<pid_t>{812});
  CHECK(processes("systemd-networkd", tree.path / "proc").empty());
}

TEST_CASE("who has a pty's other end does not use this one") {
  const Tree tree;
  const std::string device = tree.path / "dev/pts/3";
  tree.file("dev/pts/3", "");
  tree.file("proc/900/comm", "qimux-sim\n");
  fs::create_directories(tree.path / "proc/900/fd");
  fs::create_symlink(device, tree.path / "proc/900/fd/5");
  CHECK(holders(device, tree.path / "proc").size() == 1);
  fs::create_symlink("/dev/ptmx", tree.path / "proc/900/fd/6");
  CHECK(holders(device, tree.path / "proc").empty());
}

TEST_CASE("what is a tty") {
  CHECK_FALSE(isTty("/dev/null"));
  CHECK_FALSE(isTty("/tmp"));
  CHECK_FALSE(isTty("/nonexistent"));
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (master.valid() && ::unlockpt(master.get()) == 0) CHECK(isTty(::ptsname(master.get())));
}
