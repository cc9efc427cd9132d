"""What udev makes of a serial port with and without the administrator's line: `udevadm test`, with the rules of this
machine and ours, on ports that umockdev shows, and on a real one where there is one."""

import glob
import os
import re
import shutil
import subprocess
import sys

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(SOURCE, "tests/e2e"))

from lab import Failed, check, equal, isolation, note  # noqa: E402
import devices  # noqa: E402

LOCAL = "/etc/udev/rules.d/60-qimuxd-local.rules"
SHIPPED = "/usr/lib/udev/rules.d"
EXAMPLE = os.path.join(SOURCE, "udev/60-qimuxd-local.rules.example")
# Where ModemManager's rules look at a port, and what they would have seen there.
CANDIDATE = 'SUBSYSTEM=="tty", ENV{ID_MM_CANDIDATE}="1", ENV{SEEN_BY_MM}="ignore=$env{ID_MM_DEVICE_IGNORE}"\n'
ADAPTER = {"vendor": "0403", "product": "6001", "serial": "A50285BI"}
BY_SERIAL = 'SUBSYSTEM=="tty", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", ATTRS{serial}=="A50285BI", '


def furnish():
    """Rules and device nodes to be changed at will."""
    os.makedirs("/run/dev/pts")
    for node in ("null", "ttyS0"):
        if os.path.exists(f"/dev/{node}"):
            subprocess.run(["cp", "-a", f"/dev/{node}", "/run/dev/"], check=True)
    os.symlink("pts/ptmx", "/run/dev/ptmx")
    subprocess.run(["mount", "--bind", "/dev/pts", "/run/dev/pts"], check=True)
    subprocess.run(["mount", "--rbind", "/run/dev", "/dev"], check=True)
    for directory, copy in ((SHIPPED, "/run/shipped"), ("/etc/udev", "/run/etc-udev")):
        shutil.copytree(directory, copy, symlinks=True)
        subprocess.run(["mount", "--bind", copy, directory], check=True)
    shutil.copy(os.path.join(SOURCE, "udev/70-qimuxd.rules"), SHIPPED)
    with open(f"{SHIPPED}/80-mm-candidate.rules", "w") as file:
        file.write(CANDIDATE)
    os.makedirs("/etc/udev/rules.d", exist_ok=True)


def opt_in(text):
    with open(LOCAL, "w") as file:
        file.write(text + "\n")


def properties(text):
    """The result of `udevadm test`, which stands behind its log."""
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\.?[A-Z][A-Z0-9_]*=", line))


def tried(port):
    """What udev makes of a port of `devices`; what it writes to the chip's latency timer is there as LATENCY."""
    path, description = port
    with open("/run/port.umockdev", "w") as file:
        file.write(description)
    shutil.rmtree("/run/udev", ignore_errors=True)
    ended = subprocess.run(["umockdev-run", "-d", "/run/port.umockdev", "--", "udevadm", "test", f"/sys{path}"],
                           capture_output=True, text=True, check=False, env=os.environ | {"SYSTEMD_LOG_LEVEL": "debug"})
    got = properties(ended.stdout)
    written = re.search(r"device/latency_timer' writing '(\d+)'", ended.stdout + ended.stderr)
    if written:
        got["LATENCY"] = written[1]
    if "DEVPATH" not in got:
        raise Failed(f"udevadm test: {ended.stdout[-500:]} {ended.stderr[-500:]}")
    return got


def links(got):
    return got.get("DEVLINKS", "").split()


def owned(got, name, unit, what):
    """All that has to be true of a port that was given to us."""
    check(f"/dev/{name}" in links(got), f"{what}: symlink /dev/{name}")
    equal(got.get("SYSTEMD_WANTS", "").split(), [unit], f"{what}: SYSTEMD_WANTS")
    check(":systemd:" in got.get("TAGS", ""), f"{what}: tagged for systemd")
    equal(got.get("SEEN_BY_MM"), "ignore=1", f"{what}: at ModemManager's turn")
    equal(got.get("ID_MM_PORT_IGNORE"), "1", f"{what}: ID_MM_PORT_IGNORE")


def untouched(got, what):
    wrong = [key for key in got if key.startswith("ID_MM_") and key != "ID_MM_CANDIDATE" or key == "SYSTEMD_WANTS"]
    equal(wrong, [], f"{what}: properties of ours")
    equal([link for link in links(got) if "gsm" in link], [], f"{what}: symlinks of ours")
    equal(got.get("SEEN_BY_MM"), "ignore=", f"{what}: at ModemManager's turn")


def nothing_by_itself():
    """Without a line of the administrator's no adapter is claimed, whatever its kind"""
    opt_in("# nothing")
    for vendor, product, chip in (("0403", "6001", "FTDI"), ("10c4", "ea60", "CP210x"), ("1a86", "7523", "CH340"),
                                  ("067b", "2303", "PL2303")):
        untouched(tried(devices.usb(vendor=vendor, product=product, serial="1")), chip)
    untouched(tried(devices.uart("ttyS1")), "UART")


def given():
    """With the line: symlink, unit, and ModemManager told before its turn; another adapter of the kind is not touched"""
    opt_in(BY_SERIAL + 'ENV{QIMUX}="gsm0"')
    got = tried(devices.usb(**ADAPTER))
    owned(got, "gsm0", "qimuxd.service", "the adapter")
    equal(got.get("LATENCY"), "1", "latency timer of the FTDI chip, in ms")
    got = tried(devices.usb(**ADAPTER | {"serial": "A50285BJ"}))
    untouched(got, "its sister")
    equal(got.get("LATENCY"), None, "latency timer of its sister")


def names():
    """A name other than gsm0 is an instance; what could mean something else to systemd or the kernel is refused"""
    for good in ("gsm1", "a", "wwan7", "a23456789012345"):
        opt_in(BY_SERIAL + f'ENV{{QIMUX}}="{good}"')
        owned(tried(devices.usb(**ADAPTER)), good, f"qimuxd@{good}.service", good)
    for bad in ("0gsm", "Gsm0", "gsm-0", "gsm/0", "../sda", "gsm 0", "gsm%k", "gsm.0", "a234567890123456", "gsm0;reboot", "-x", "control"):
        opt_in(BY_SERIAL + f'ENV{{QIMUX}}="{bad}"')
        got = tried(devices.usb(**ADAPTER))
        untouched(got, repr(bad))
        check("QIMUX_ERROR" in got, f"{bad!r}: QIMUX_ERROR says why")


def port_of(line):
    """A port that the example's line is about, and one of the same kind that it is not about."""
    match = dict(re.findall(r'([A-Z]+(?:\{\w+\})?)=="([^"]*)"', line))
    if "KERNEL" in match:
        return devices.uart(match["KERNEL"]), devices.uart("ttyS7")
    if "KERNELS" in match:
        return devices.usb(place=match["KERNELS"], vendor="1a86", product="7523"), devices.usb(place="1-1.1:1.0")
    kind = {"vendor": match["ATTRS{idVendor}"], "product": match["ATTRS{idProduct}"]}
    return devices.usb(**kind, serial=match["ATTRS{serial}"]), devices.usb(**kind, serial="another")


def examples():
    """Every line of the example does what stands above it, once its # is removed, and nothing before"""
    with open(EXAMPLE) as file:
        text = file.read()
    opt_in(text)
    lines = re.findall(r'^#(SUBSYSTEM=="tty".*)$', text, re.MULTILINE)
    equal([line for line in text.splitlines() if line and not line.startswith("#")], [], "lines that are not comments")
    check(len(lines) >= 8, f"{len(lines)} lines to choose from")
    for line in lines:
        ours, another = port_of(line)
        opt_in(text)
        untouched(tried(ours), line)
        opt_in(line)
        name = re.search(r'ENV\{QIMUX\}="(\w+)"', line)[1]
        owned(tried(ours), name, "qimuxd.service" if name == "gsm0" else f"qimuxd@{name}.service", line)
        untouched(tried(another), "another of its kind")
    equal(re.findall(r'^#SUBSYSTEM=="gpio", .*GROUP="(\w+)"', text, re.MULTILINE), ["qimuxd"], "whose the GPIO chip is")


def order():
    """Our rules are read before ModemManager's, and after those of the administrator"""
    read = sorted(os.path.basename(p) for d in (SHIPPED, "/etc/udev/rules.d") for p in glob.glob(f"{d}/*.rules"))
    ours = read.index("70-qimuxd.rules")
    check(read.index("60-qimuxd-local.rules") < ours < read.index("80-mm-candidate.rules"), "the order of the files")


def real():
    """The same with a real port of this machine, where there is one"""
    if not os.path.exists("/sys/class/tty/ttyS0") or not os.path.exists("/dev/ttyS0"):
        note("this machine has no ttyS0")
        return

    def test():
        return properties(subprocess.run(["udevadm", "test", "/sys/class/tty/ttyS0"], capture_output=True, text=True,
                                         check=False).stdout)
    opt_in("# nothing")
    untouched(test(), "ttyS0")
    opt_in('SUBSYSTEM=="tty", KERNEL=="ttyS0", ENV{QIMUX}="gsm0"')
    owned(test(), "gsm0", "qimuxd.service", "ttyS0")
    equal(os.readlink("/dev/gsm0"), "ttyS0", "/dev/gsm0")


def main():
    isolation.enter()
    for program in ("udevadm", "umockdev-run"):
        if not shutil.which(program):
            print(f"SKIPPED: no {program}", flush=True)
            sys.exit(1 if os.environ.get("CI") == "true" else isolation.SKIPPED)
    furnish()
    for scenario in (nothing_by_itself, given, names, examples, order, real):
        print(f"{scenario.__name__}: {scenario.__doc__.strip()}", flush=True)
        try:
            scenario()
        except Failed as error:
            print(f"    FAILED {error}", flush=True)
            sys.exit(1)
    print("all scenarios passed", flush=True)


if __name__ == "__main__":
    main()
