"""Stand-ins for the programs that write /etc/resolv.conf, in an /etc of the test's own.

Each writes down how it was called, and what it was told on its standard input, in CALLS.
"""

import os
import shutil
import subprocess

BIN = "/run/qimux-lab/bin"
CALLS = "/run/qimux-lab/calls"
STATE = "/run/qimux-lab/tool-state"

# Answers as systemd-resolved does while STATE holds "up"; else as the tool does without it.
RESOLVECTL = f"""#!/bin/sh
echo "resolvectl $*" >> {CALLS}
case "$(cat {STATE})" in
  up) exit 0 ;;
  hang) exec sleep 600 ;;
  *) echo "Failed to get global data: Unit dbus-org.freedesktop.resolve1.service not found." >&2; exit 1 ;;
esac
"""

# Debian's: knows no --version, and says so with its exit code.
DEBIAN = f"""#!/bin/sh
echo "resolvconf $* < $(cat | tr '\\n' ';')" >> {CALLS}
case "$1" in -a|-d) exit 0 ;; *) echo "resolvconf: Error: Command not recognized" >&2; exit 99 ;; esac
"""

OPENRESOLV = f"""#!/bin/sh
echo "resolvconf $* < $(cat | tr '\\n' ';')" >> {CALLS}
[ "$1" = --version ] && echo "openresolv 3.12.0"
exit 0
"""


def own_etc():
    """/etc is a copy from now on, to be changed at will."""
    os.makedirs("/run/etc")
    subprocess.run(["umount", os.path.realpath("/etc/resolv.conf")], check=False, capture_output=True)
    subprocess.run(["cp", "-a", "/etc/.", "/run/etc"], check=True)
    subprocess.run(["mount", "--bind", "/run/etc", "/etc"], check=True)


def resolv_conf(text=None, link=None):
    """/etc/resolv.conf is a file with this text, a link, or nothing."""
    if os.path.lexists("/etc/resolv.conf"):
        os.remove("/etc/resolv.conf")
    if link:
        os.symlink(link, "/etc/resolv.conf")
    elif text is not None:
        with open("/etc/resolv.conf", "w") as file:
            file.write(text)


def tools(**scripts):
    """Exactly these programs are there: resolvectl=..., resolvconf=..."""
    os.makedirs(BIN, exist_ok=True)
    for old in os.listdir(BIN):
        os.remove(f"{BIN}/{old}")
    for name in ("cat", "tr", "sleep"):
        os.symlink(shutil.which(name), f"{BIN}/{name}")
    for name, script in scripts.items():
        with open(f"{BIN}/{name}", "w") as file:
            file.write(script)
        os.chmod(f"{BIN}/{name}", 0o755)
    open(CALLS, "w").close()


def state(word):
    with open(STATE, "w") as file:
        file.write(word)


def calls():
    """What the tools were told since the last call of this, without the questions who they are."""
    with open(CALLS) as file:
        lines = file.read().splitlines()
    open(CALLS, "w").close()
    return [line for line in lines if line != "resolvectl dns" and "--version" not in line]


def as_on_the_machine(argv):
    """The command in a process namespace of its own: the network is that of its first process, as on a real machine.
    It finds no programs but the stand-ins."""
    return ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "env", f"PATH={BIN}", *argv]


# The real ones

UNPACKED = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../../build/unpacked"))


def unpacked(package):
    """A package of tests/unpack-packages is where it belongs, here only."""
    tree = f"{UNPACKED}/{package}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree}/usr:/usr", "/usr"], check=True)
    if os.path.isdir(f"{tree}/etc"):
        subprocess.run(["cp", "-a", f"{tree}/etc/.", "/etc"], check=True)


def packed_away():
    """The package of the last unpacked() is no longer there."""
    subprocess.run(["umount", "--lazy", "/usr"], check=True)
