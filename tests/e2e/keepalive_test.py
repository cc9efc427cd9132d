"""A program's SO_KEEPALIVE tells it what it asks: that the path lives, or that it is dead."""

import errno
import socket
import time

from lab import Failed, check, equal, module_only, note, run, until, within
from lab.upload import queued

IDLE, INTERVAL, COUNT = 5, 2, 3
OWN = IDLE + INTERVAL * COUNT  # the program's kernel gives up so long after the last word of the far end
PROBED = 7001                  # a port for which the configuration has a probe


def _program(lab, port):
    lab.serve(port, _echo)
    program = lab.connect(port, timeout=120)
    program.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, IDLE), (socket.TCP_KEEPINTVL, INTERVAL), (socket.TCP_KEEPCNT, COUNT)):
        program.setsockopt(socket.IPPROTO_TCP, option, value)
    _exchange(program, b"hello")
    # While something is unacknowledged a kernel sends it again, and no keepalive.
    until(lambda: queued(program) == 0, 10, "the acknowledgement of it")
    return program


def _echo(connection):
    connection.settimeout(None)
    while data := connection.recv(4096):
        connection.sendall(data.replace(b"ping", b""))


def _exchange(program, data):
    program.sendall(data)
    equal(program.recv(100), data, "the echo")


def _dies(program, most, what):
    """How long a program that only reads waits, and what it is told."""
    begin = time.monotonic()
    try:
        got = program.recv(1)
        raise Failed(f"recv() gave {got!r}")
    except TimeoutError as error:
        if error.errno is None:  # the test's own patience
            raise Failed(f"nothing after {time.monotonic() - begin:.0f} s") from None
        code = error.errno
    except ConnectionError as error:
        code = error.errno
    took = time.monotonic() - begin
    check(code in (errno.ETIMEDOUT, errno.ECONNRESET), f"{what}: {errno.errorcode[code]}")
    within(took, 0, most, "from the fault to the error")
    return code, took


def _online_again(lab):
    lab.end_scenario()
    lab.wait_online()
    until(lambda: lab.taken() == 0, 60, "six free sockets")


@module_only
def healthy(lab):
    """Idle for three times the program's patience, on a path that lives, with a probe for the port and without"""
    programs = [_program(lab, 7000), _program(lab, PROBED)]
    since = lab.transcript.length()
    time.sleep(3 * OWN)
    for program in programs:
        _exchange(program, b"still there")
    asked = [text for _, way, text in lab.transcript.entries(since) if way == "->" and text.startswith(("AT+QISACK", "AT+QISTATE"))]
    check(len(asked) >= 2 * 3 * OWN / (IDLE + 1) - 4, f"the module was asked {len(asked)} times in {3 * OWN} s")
    check(sum(text == "AT+QISTATE" for text in asked) <= 8, "the long question only now and then")


@module_only
def idle_without(lab):
    """Without SO_KEEPALIVE nothing is asked"""
    lab.serve(7002, _echo)
    program = lab.connect(7002)
    _exchange(program, b"hello")
    time.sleep(2)
    since = lab.transcript.length()
    time.sleep(OWN)
    asked = [text for _, way, text in lab.transcript.entries(since) if way == "->" and text.startswith("AT+QIS")]
    equal(asked, [], f"questions in {OWN} s")


@module_only
def dead_path(lab):
    """The far end is silently gone: the probe of the port finds it out, and the program's kernel in its own time"""
    program = _program(lab, PROBED)
    index = next(s["index"] for s in lab.status()["sockets"] if s["remote"] == f"{lab.SERVER}:{PROBED}")
    equal(lab.fault(f"dead {index}").strip(), "ok", "the fault")
    code, _ = _dies(program, OWN + 4, "the path is dead")
    equal(errno.errorcode[code], "ETIMEDOUT", "as on any dead path")


@module_only
def module_hangs(lab):
    """The module neither hears nor says anything"""
    program = _program(lab, 7000)
    equal(lab.fault("hang 40").strip(), "ok", "the fault")
    _dies(program, OWN + 4, "the module hangs")
    _online_again(lab)


@module_only
def power_off(lab):
    """The module is off"""
    program = _program(lab, 7000)
    equal(lab.fault("power-off").strip(), "ok", "the fault")
    _dies(program, OWN + 4, "the module is off")
    equal(lab.fault("power-on").strip(), "ok", "the fault's end")
    _online_again(lab)


@module_only
def unplugged(lab):
    """The device is gone"""
    program = _program(lab, 7000)
    sim, lab.sim = lab.sim, None
    sim.popen.kill()
    _dies(program, OWN + 4, "unplugged")
    sim.popen.wait()
    note("and back")
    lab.start_sim()
    _online_again(lab)


if __name__ == "__main__":
    run(({"rtt": 100, "settings": {"keepalive": {"probe": [{"port": PROBED, "payload_hex": b"ping".hex()}]}}},
         [healthy, idle_without, dead_path, module_hangs, power_off, unplugged]))
