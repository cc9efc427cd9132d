"""Under each fault: what a program was shown as delivered, the far end had."""

import errno
import time

from lab import check, equal, module_only, note, pattern, run
from lab.upload import Upload, queued

DATA = pattern(60_000, seed=33)
WATCH = 5  # seconds that are looked at from the fault on


def _slot(lab, port):
    return next(s["index"] for s in lab.status()["sockets"] if s["remote"] == f"{lab.SERVER}:{port}")


def _under(lab, port, fault, seconds=WATCH):
    """An upload that the fault meets in the middle, and that is looked at until it ends, or for so long."""
    upload = Upload(lab, port, DATA)
    deadline = upload.begin + 30
    while upload.far_end() < 8_000 and time.monotonic() < deadline:
        upload.run(until_done=False, seconds=0.1)
    fault(port)
    had = upload.far_end()
    upload.run(seconds=seconds)
    # A reset makes an end of it; what was shown before it stands.
    upload.sample()
    shown = upload.written - queued(upload.connection)
    told = errno.errorcode.get(getattr(upload.error, "errno", None), "nothing yet") if upload.error else "nothing"
    note(f"{had} bytes there at the fault; then the program was told {told}; {shown} shown as delivered, "
         f"{upload.far_end()} there; {upload.samples} samples")
    check(upload.samples > 100, "enough samples")
    equal(upload.worst, 0, "worst falsely acknowledged bytes")
    return upload


def _verb(lab, line):
    def fault(port):
        equal(lab.fault(line.format(slot=_slot(lab, port))).strip(), "ok", f"fault {line}")
    return fault


def _mended(lab):
    """The next upload finds a link; what still waits for acknowledgements keeps its socket, there are six."""
    lab.end_scenario()
    lab.wait_online(90)


@module_only
def sockets_end(lab):
    """close, reset and a dead path"""
    for port, line in ((7001, "close {slot}"), (7002, "reset {slot}"), (7003, "dead {slot}")):
        _under(lab, port, _verb(lab, line))
    _mended(lab)


@module_only
def results_are_lost(lab):
    """lose-send-ok, loss, and noise on the line"""
    whole = _under(lab, 7004, _verb(lab, "lose-send-ok 1"), seconds=30)
    equal(whole.got, len(DATA), "bytes at the server: the fault costs nothing")
    _under(lab, 7005, _verb(lab, "loss 0.2"), seconds=2 * WATCH)
    _verb(lab, "loss 0")(7005)
    _mended(lab)
    _under(lab, 7006, _verb(lab, "noise 0.001"), seconds=2 * WATCH)
    equal(lab.fault("noise 0").strip(), "ok", "the end of the noise")
    _mended(lab)


@module_only
def module_stops(lab):
    """silence, hang, reboot, the loss of the context"""
    for port, line in ((7007, "silence 6"), (7008, "hang 6"), (7009, "reboot"), (7010, "pdp-deact")):
        _under(lab, port, _verb(lab, line), seconds=2 * WATCH)
        _mended(lab)


@module_only
def power_and_plug(lab):
    """The supply is cut; the device is pulled"""
    _under(lab, 7011, _verb(lab, "power-off"))
    equal(lab.fault("power-on").strip(), "ok", "power again")
    _mended(lab)

    def pull(_port):
        sim, lab.sim = lab.sim, None
        sim.popen.kill()
        sim.popen.wait()
    _under(lab, 7012, pull)
    lab.start_sim()
    _mended(lab)


if __name__ == "__main__":
    LINE = {"rtt": 700, "sim": ["--rate", "10000"], "log_level": "info"}
    # A daemon of its own for each: what the link has been through makes it wait longer.
    run((LINE, [sockets_end, results_are_lost]), (LINE, [module_stops]), (LINE, [power_and_plug]))
