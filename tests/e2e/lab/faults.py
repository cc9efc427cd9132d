"""What goes wrong in the field, as qimux-sim does it: the verbs of --list-faults with typical arguments."""

import dataclasses
import re
import subprocess
import threading

from . import lab as laboratory
from .checks import Failed


@dataclasses.dataclass(frozen=True)
class Fault:
    """`lines` go to the module one after the other; `later` is what ends it, so many seconds after. "{socket}" is the
    index of the transfer that it hits. `before`: comes before the transfer, since it hits connects and names.
    `upload`: it hits what is sent. `tls`: bytes change that nobody but the programs can prove to be wrong."""
    lines: tuple
    later: tuple = ()
    before: bool = False
    upload: bool = False
    tls: bool = False

    @property
    def verb(self):
        """The one that gives it its name: the first."""
        return self.lines[0].split()[0]

    @property
    def title(self):
        return ", ".join(self.lines + tuple(f"{line} after {seconds:g} s" for seconds, line in self.later))

    def inject(self, lab, socket=None):
        """Now; what ends it comes by itself. Returns once the module has taken it."""
        for line in self.lines:
            said = lab.fault(line.format(socket=socket))
            if said.strip() != "ok":
                raise Failed(f"qimux-sim does not take {line!r}: {said.strip()}")
        for seconds, line in self.later:
            timer = threading.Timer(seconds, _end, (lab, line))
            timer.daemon = True
            timer.start()


def _end(lab, line):
    try:
        lab.fault(line)
    except OSError:
        pass  # the scenario, and the module with it, is over already


def fault(*lines, later=(), **more):
    return Fault(tuple(lines), tuple(later), **more)


CONTEXT = [
    fault("pdp-deact"), fault("activation-fail 2", "pdp-deact"), fault("no-credit on", "pdp-deact", later=[(3, "no-credit off")]),
    fault("deact-hang 1", "pdp-deact"), fault("deregister", later=[(3, "register")]),
    fault("roaming-denied", later=[(3, "register")]), fault("dns-dead on", before=True, later=[(3, "dns-dead off")]),
    fault("name-fail 1", before=True),
]
SOCKET = [
    fault("close {socket}"), fault("reset {socket}"), fault("dead {socket}"), fault("closed {socket} 2"), fault("stall 3"),
    fault("loss 0.2", later=[(3, "loss 0")]), fault("connect-fail 2", before=True), fault("connect-hang 1", before=True),
    fault("connect-delay 3 1", before=True), fault("send-fail {socket} 3", upload=True), fault("lose-prompt 1", upload=True),
    fault("lose-send-ok 2", upload=True), fault("connect-fail 1000", before=True, later=[(3, "heal")]),
]
POWER = [
    fault("reboot"), fault("power-off", later=[(3, "power-on")]), fault("under-voltage 1"), fault("hang 4"), fault("silence 4"),
    fault("sim-removed", later=[(2, "sim-inserted")]), fault("no-answer 1"), fault("echo on"),
    fault("dtr off", later=[(2, "dtr host")]), fault("sms +4915112345 hello"), fault("urc RING"), fault("baud 230400"),
]
LINE = [
    fault("noise 0.0005", later=[(3, "noise 0")], tls=True), fault("lose-bytes 0.0005", later=[(3, "lose-bytes 0")], tls=True),
    fault("steal 300", tls=True), fault("foreign AT+CSQ"), fault("foreign-bytes 100", tls=True), fault("drop 12"),
    fault("flip 3"), fault("garble 3"), fault("cut-read 1"), fault("overlong 1"), fault("lose-urc 2"),
]
ALL = CONTEXT + SOCKET + POWER + LINE


def listed():
    """The verbs that the module has."""
    text = subprocess.run([f"{laboratory.BUILD}/qimux-sim", "--list-faults"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^([a-z-]+)", text, re.MULTILINE))


def covered():
    return {line.split()[0] for one in ALL for line in one.lines + tuple(line for _, line in one.later)}
