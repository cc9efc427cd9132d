"""SIGTERM and SIGKILL in whatever state the link is: how long it takes, what is left, and how it starts again."""

import os
import re
import signal
import time

from lab import Web, check, equal, module_only, note, pattern, run, sha256, until, within
from lab.curl import Transfer

PAGE = pattern(20_000)
DRAIN = 5.0
# What the end itself takes on a machine that does something else as well.
MARGIN = 1.5


def left(lab):
    """Everything that could be left behind: in the gateway's network, in the file system, among the processes."""
    return {"link": [line.split(":")[1] for line in lab.gateway.ip("-o", "link").splitlines()],
            "route": [line for line in lab.gateway.ip("route", "show", "table", "all").splitlines() if "fe80:" not in line and "ff00:" not in line],
            "rule": lab.gateway.ip("rule"),
            "namespaces": sorted(namespaces()), "control": os.path.lexists(lab.CONTROL),
            "files": sorted(f for f in os.listdir("/run/qimux-lab") if f not in ("sim.sock", "gsm0", "qimuxd.toml") and "curl" not in f),
            "lock": locked(lab), "processes": sorted(programs("qimuxd"))}


def programs(name):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read().strip() == name and not zombie(pid):
                    yield int(pid)
        except OSError:
            pass  # it has just ended


def zombie(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


def namespaces():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
            found |= {name for fd in os.listdir(f"/proc/{pid}/fd") if "net:" in (name := os.readlink(f"/proc/{pid}/fd/{fd}"))}
        except OSError:
            pass
    return found


def locked(lab):
    """Somebody holds the tty's lock."""
    if not os.path.exists(lab.LINK):
        return False
    inode = os.stat(os.path.realpath(lab.LINK)).st_ino
    with open("/proc/locks") as file:
        return any(f":{inode} " in line and "FLOCK" in line for line in file)


def in_state(lab, *states, timeout=30):
    return until(lambda: (now := lab.status()["link"]) in states and now, timeout, f"the link to be {' or '.join(states)}",
                 interval=0.02)


def on_the_module(lab, since):
    """Its sockets and its context, as its own transcript tells them: (sockets that are open, context is up)"""
    opened, context = set(), False
    for _, way, text in lab.transcript.entries(since):
        if way == "->" and text == "AT+QIACT":
            context = True
        if way != "<-":
            continue
        if found := re.match(r"(\d), CONNECT OK", text):
            opened.add(found[1])
        elif found := re.match(r"(\d), CLOSE", text):
            opened.discard(found[1])
        elif text.startswith(("DEACT OK", "+PDP DEACT", "RDY")):
            opened, context = set(), False
    return opened, context


class Moment:
    """A state of the link, how a lab gets there, and whether the module can be left in order."""

    def __init__(self, name, states, before=None, reach=None, sim=(), device=True, limit=DRAIN, tidy=False):
        """`before` the daemon is started, and `reach` behind that."""
        self.name, self.states, self.before, self.reach, self.sim = name, states, before, reach, sim
        self.device, self.limit, self.tidy = device, limit, tidy


def busy(lab):
    """Six sockets that send as much as the line takes."""
    lab.wait_online()
    lab.serve(7000, lambda c: [None for _ in iter(lambda: c.recv(65536), b"")])
    for _ in range(6):
        connection = lab.connect(7000)
        connection.setblocking(False)
        connection.send(pattern(200_000))
    until(lambda: sum(s["sent"] > 0 for s in lab.status()["sockets"]) == 6, 60, "six sockets that send")


def faulty(*lines):
    def reach(lab):
        lab.wait_online()
        for line in lines:
            lab.fault(line)
    return reach


def in_activation(lab):
    until(lambda: lab.transcript.count(r"-> AT\+QIACT") > lab.activations, 20, "AT+QIACT", interval=0.02)


MOMENTS = [
    Moment("no device", ["no_device"], device=False, limit=0),
    Moment("a silent module", ["synchronising"], before=lambda lab: lab.fault("power-off"), limit=0),
    Moment("a PIN is needed", ["sim", "pausing"], sim=["--pin", "1234"], limit=0),
    Moment("registering", ["registering"], before=lambda lab: lab.fault("deregister"), limit=0),
    Moment("activating", ["activating"], reach=in_activation, sim=["--activation-time", "3"], tidy=True),
    Moment("activating, for ever", ["activating"], reach=in_activation, sim=["--activation-time", "50"]),
    Moment("online", ["online"], tidy=True),
    Moment("online with six busy sockets", ["online"], reach=busy, tidy=True),
    Moment("coverage is lost", ["registering"], reach=faulty("deregister"), tidy=True),
    Moment("pausing", ["pausing"], reach=faulty("activation-fail 100", "pdp-deact")),
    Moment("recovering", ["recovering"], reach=faulty("hang 60")),
]


def terminated_at(lab, moment, rows):
    lab.sim_arguments = list(moment.sim)
    if moment.device:
        lab.start_sim()
    before = left(lab)
    if moment.before:
        moment.before(lab)
    since = lab.transcript.length() if moment.device else 0
    lab.activations = lab.transcript.count(r"-> AT\+QIACT") if moment.device else 0
    lab.start_daemon()
    until(lambda: os.path.exists(lab.CONTROL) and lab.ctl("--json", "status").returncode == 0, 20, "the daemon to answer")
    if moment.reach:
        moment.reach(lab)
    seen = in_state(lab, *moment.states, timeout=60)
    begin = time.monotonic()
    code = lab.stop_daemon()
    took = time.monotonic() - begin
    equal(code, 0, f"{moment.name} ({seen}): exit code after SIGTERM")
    within(took, 0, moment.limit + MARGIN, f"{moment.name}: it took")
    after = left(lab)
    for what in before:
        equal(after[what], before[what], f"{moment.name}: {what} as before")
    state = "-"
    if moment.tidy:
        until(lambda: on_the_module(lab, since) == (set(), False), 5, f"no socket and no context: {on_the_module(lab, since)}")
        state = "no socket, no context"
    rows.append((moment.name, seen, took, state))
    lab.end_scenario()
    if moment.device:
        equal(lab.stop_sim(), 0, "exit code of qimux-sim")


@module_only
def terminated(lab):
    """SIGTERM in each state of the link: in time, with 0, and nothing is left"""
    rows = []
    try:
        for moment in MOMENTS:
            terminated_at(lab, moment, rows)
    finally:
        lab.sim_arguments = []
        print(f"\n    | {'when':28} | {'state':13} | seconds | on the module         |")
        for name, seen, took, state in rows:
            print(f"    | {name:28} | {seen:13} | {took:7.2f} | {state:21} |")
        print(flush=True)


@module_only
def killed_in_the_middle(lab):
    """SIGKILL with six sockets in the middle of their AT+QISEND: the next daemon is up without a reset of the module"""
    lab.start_sim()
    lab.start_daemon()
    busy(lab)
    lab.keep(Web(lab, 80, {"/": PAGE}))
    for attempt in range(3):
        if attempt:
            # The module's six are the next daemon's six: they have to be free again.
            lab.end_scenario()
            busy(lab)
            lab.keep(Web(lab, 80, {"/": PAGE}))
        begun = lab.transcript.watch(r"-> AT\+QISEND=\d,1460")
        begun.time()
        since = lab.transcript.length()
        time.sleep(0.02 * attempt)  # at other bytes of a send each time
        equal(lab.daemon.stop(signal.SIGKILL), -signal.SIGKILL, "exit code")
        check(os.path.lexists(lab.CONTROL), "its control socket is still there")
        begin = time.monotonic()
        lab.start_daemon()
        until(lambda: lab.ctl("--json", "status").returncode == 0, 20, "the new daemon to answer")
        lab.wait_online()
        note(f"online again after {time.monotonic() - begin:.1f} s")
        said = [text for _, way, text in lab.transcript.entries(since) if way in ("->", "<-")]
        equal([text for text in said if text.startswith(("AT+CFUN=", "RDY", "AT+QPOWD"))], [], "resets of the module")
        equal(lab.gateway.ip("-o", "link").count(" gsm0:"), 1, "interfaces of that name")
        equal(lab.taken(), 0, "sockets that the new daemon thinks of")
    transfer = Transfer(lab, f"http://{lab.SERVER}/")
    equal(transfer.wait(90), 0, "exit code of curl")
    equal(sha256(transfer.content()), sha256(PAGE), "sha256 of the page")


if __name__ == "__main__":
    run(({"start": False}, [terminated, killed_in_the_middle]))
