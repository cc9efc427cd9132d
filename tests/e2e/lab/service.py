"""qimuxd as a unit of a systemd of the lab's own: the shipped files, the whole sandbox, nothing imitated.

QIMUX_SERVICE=1 has every daemon of a lab run so. A second process namespace inside the lab's has systemd as its
first process, with a control group below ours as its root; it knows only the units that stand here and those of
the tree. The journal is its own, too. What a lab has to change stands in a drop-in: the network namespace, the
arguments, the pseudo terminals that are the module's ttys here, and that nothing is restarted behind a test's back.
"""

import glob
import grp
import json
import os
import shutil
import signal
import subprocess
import time

from .checks import Failed
from .process import Process
from .waiting import until

WANTED = bool(os.environ.get("QIMUX_SERVICE"))
TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../../systemd"))
LAB = "/run/qimux-lab"
UNITS = f"{LAB}/units"
RUNTIME = "/run/qimuxd"
CONTROL = f"{RUNTIME}/control.sock"
STATE = "/var/lib/qimuxd"

# Of Debian's units as they are; the rest of a boot is not wanted here.
BORROWED = ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
STAND_INS = ("sysinit", "basic", "shutdown", "umount", "sockets", "network-pre", "network", "network-online", "multi-user")

INIT = """
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export container=qimux-lab SYSTEMD_UNIT_PATH=%s
exec /lib/systemd/systemd --system --unit=lab.target --log-target=journal --log-level=info --show-status=no
""" % UNITS

DROP_IN = """[Service]
ExecStart=
ExecStart=/usr/sbin/qimuxd %s
NetworkNamespacePath=/run/netns/gateway
DeviceAllow=char-pts rw
Restart=no
"""


def why_not():
    """The reason why this machine cannot run the units, or None."""
    if not os.path.exists("/lib/systemd/systemd"):
        return "no systemd"
    if _cgroups() is None:
        return "no second version of control groups"
    return None


def furnish(build):
    """The machine as the package leaves it: programs, user, groups, directories, device nodes. Before the lab's sim."""
    if os.path.exists(f"{LAB}/tun"):  # by an earlier lab of this test
        shutil.rmtree(STATE, ignore_errors=True)
        return
    for directory in ("/etc", "/usr/sbin", "/usr/bin", "/var/lib"):
        _overlay(directory)
    for directory, program in (("/usr/sbin", "qimuxd"), ("/usr/bin", "qimuxctl")):
        target = os.path.join(directory, program)
        with open(target, "w"):
            pass
        subprocess.run(["mount", "--bind", os.path.join(build, program), target], check=True)
    shutil.rmtree(STATE, ignore_errors=True)  # in here only
    subprocess.run(["systemd-sysusers", os.path.join(TREE, "qimuxd.sysusers")], check=True)
    subprocess.run(["systemd-tmpfiles", "--create", os.path.join(TREE, "qimuxd.tmpfiles")], check=True)
    # As udev has them: the mode of Debian's rules for tun, and ttys are of dialout.
    os.mknod(f"{LAB}/tun", 0o020666, os.makedev(10, 200))
    os.chmod(f"{LAB}/tun", 0o666)
    subprocess.run(["mount", "--bind", f"{LAB}/tun", "/dev/net/tun"], check=True)
    dialout = grp.getgrnam("dialout").gr_gid
    subprocess.run(["mount", "-o", f"remount,mode=660,gid={dialout},ptmxmode=0666", "/dev/pts"], check=True)


def share(path):
    """What stands for the wires to the module is in reach of the daemon's children, as a GPIO line would be."""
    until(lambda: os.path.exists(path), 10, path)
    os.chmod(path, 0o666)


class Manager:
    """systemd, running."""

    def __init__(self, log_dir):
        _write_units()
        self.cgroup = os.path.join(_cgroups(), f"qimux-lab-{os.getpid()}-{os.stat(LAB).st_ctime_ns}")
        _sweep()
        os.mkdir(self.cgroup)
        script = f"echo $$ > {self.cgroup}/cgroup.procs && exec unshare --mount --pid --cgroup --ipc --uts --fork " \
                 f"--kill-child --mount-proc --propagation private sh -ec '{INIT}'"
        self.process = Process("systemd", ["sh", "-ec", script], log_dir)
        until(lambda: not self.process.alive() or self.systemctl("is-system-running").stdout.strip() == "running",
              20, "systemd to run")
        if not self.process.alive():
            raise Failed(f"systemd ended with {self.process.popen.returncode}: {self.process.log()}")

    def close(self):
        # What a first process of a process namespace is not to be told by signals of its kind: it goes at once.
        for pid in self._pids(""):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.popen.wait(10)
        until(lambda: _remove(self.cgroup), 10, "the lab's control groups to be gone")

    def systemctl(self, *words, timeout=100):
        # systemd answers only who it can name, which is nobody outside of its process namespace.
        inside = ["nsenter", f"--target={self._first()}", "--mount", "--pid", "--", "systemctl"]
        return subprocess.run([*inside, *words], text=True, capture_output=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, check=False)

    def show(self, unit, *names):
        """The properties' values, as text."""
        said = self.systemctl("show", unit, *(f"--property={n}" for n in names)).stdout
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def main_pid(self, unit):
        """As this process namespace counts; None where it does not run."""
        pids = [p for p in self._pids(f"system.slice/{unit}") if os.path.basename(_exe(p)) == "qimuxd"]
        return min(pids, default=None)

    def journal(self, *matches):
        """Entries as dictionaries."""
        said = subprocess.run(["journalctl", "--directory=" + glob.glob("/run/log/journal/*")[0], "--output=json", "--all", *matches],
                              text=True, capture_output=True, check=False).stdout
        return [json.loads(line) for line in said.splitlines()]

    def drop_in(self, unit, name, text):
        directory = f"{UNITS}/{unit}.d"
        os.makedirs(directory, exist_ok=True)
        with open(f"{directory}/{name}.conf", "w") as file:
            file.write(text)
        self.reload()

    def reload(self):
        self.systemctl("daemon-reload")

    def _first(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read().strip()

    def _pids(self, below):
        found = []
        for path in glob.glob(f"{self.cgroup}/{below}/**/cgroup.procs", recursive=True):
            try:
                with open(path) as file:
                    found += [int(line) for line in file]
            except OSError:
                pass  # its group has just ended
        return found


class Daemon(Process):
    """qimuxd.service, with the manners of a program that was started directly."""

    def __init__(self, manager, arguments, log_dir):
        self.name, self.log_path, self.unit = "qimuxd", os.path.join(log_dir, "qimuxd.log"), "qimuxd.service"
        self.manager = manager
        self._log = open(self.log_path, "ab")
        manager.drop_in(self.unit, "10-lab", DROP_IN % " ".join(arguments))
        manager.systemctl("reset-failed", self.unit)
        self._from = len(manager.journal(f"_SYSTEMD_UNIT={self.unit}"))
        started = manager.systemctl("start", "--no-block", self.unit)
        if started.returncode:
            raise Failed(f"systemctl start: {started.stderr}")
        self.popen = _Main(manager, self.unit)
        until(lambda: self.pid or not self.alive(), 10, "the unit to begin")

    @property
    def pid(self):
        return self.manager.main_pid(self.unit)

    def log(self):
        levels = ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug")
        entries = self.manager.journal(f"_SYSTEMD_UNIT={self.unit}")[self._from:]
        text = "".join(f"{levels[int(e['PRIORITY'])]}: {e['MESSAGE']}\n" for e in entries)
        with open(self.log_path, "w") as file:  # for who reads the logs of a test that failed
            file.write(text)
        return text

    def wait(self, timeout=15):
        try:
            return super().wait(timeout)
        finally:
            self.log()


class _Main:
    """What subprocess.Popen is to a Process."""

    def __init__(self, manager, unit):
        self._manager, self._unit = manager, unit
        self.returncode = None

    def poll(self):
        state = self._manager.show(self._unit, "ActiveState", "ExecMainCode", "ExecMainStatus", "Job")
        if state.get("Job", "") not in ("", "0") or state.get("ActiveState") not in ("inactive", "failed"):
            return None
        code, status = int(state["ExecMainCode"]), int(state["ExecMainStatus"])
        self.returncode = status if code == os.CLD_EXITED else -status
        return self.returncode

    def send_signal(self, sign):
        pid = self._manager.main_pid(self._unit)
        if pid:
            os.kill(pid, sign)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout=60):
        try:
            until(lambda: self.poll() is not None, timeout, "the unit to end")
        except Failed:
            raise subprocess.TimeoutExpired(self._unit, timeout) from None
        return self.returncode


def _cgroups():
    for path in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(f"{path}/cgroup.procs") and os.path.exists(f"{path}/cgroup.controllers"):
            return path
    return None


def _remove(cgroup):
    """True where it is gone."""
    for directory, _, _ in os.walk(cgroup, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            return not os.path.exists(cgroup)
    return not os.path.exists(cgroup)


def _sweep():
    """Those of labs that were killed."""
    for old in glob.glob(f"{_cgroups()}/qimux-lab-*"):
        if time.time() - os.stat(old).st_mtime < 600:
            continue  # of one that is just beginning
        with open(f"{old}/cgroup.events") as file:
            if "populated 0" in file.read():
                _remove(old)


def _overlay(directory):
    home = f"{LAB}/overlay{directory.replace('/', '-')}"
    for part in ("upper", "work"):
        os.makedirs(f"{home}/{part}", exist_ok=True)
    options = f"lowerdir={directory},upperdir={home}/upper,workdir={home}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, directory], check=True)


def _write_units():
    shutil.rmtree(UNITS, ignore_errors=True)
    os.makedirs(UNITS)
    for name in STAND_INS:
        _unit(f"{name}.target", "[Unit]\nDefaultDependencies=no\n")
    _unit("lab.target", "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n")
    # Modules of the machine are none of a test's business.
    _unit("modprobe@.service", "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n")
    for name in BORROWED:
        shutil.copy(f"/lib/systemd/system/{name}", UNITS)
    for path in glob.glob(f"{TREE}/*.service") + glob.glob(f"{TREE}/*.path"):
        shutil.copy(path, UNITS)
    os.makedirs("/etc/systemd/journald.conf.d", exist_ok=True)
    with open("/etc/systemd/journald.conf.d/lab.conf", "w") as file:
        file.write("[Journal]\nStorage=volatile\nReadKMsg=no\nRateLimitIntervalSec=0\nMaxLevelStore=debug\n")


def _unit(name, text):
    with open(f"{UNITS}/{name}", "w") as file:
        file.write(f"{text}")


def _exe(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""
