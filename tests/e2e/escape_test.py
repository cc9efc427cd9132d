"""ESC in what is sent: data on a module that takes it as such, a reset and no command on one that cancels at it."""

import errno
import socket

from lab import check, equal, module_only, note, run, until

BEFORE = b"what stands before the ESC"
# A module that cancels reads what stands behind the ESC as commands.
BEHIND = b"\x1bAT+CFUN=0\r"


def _far_end(lab):
    heard = []

    def hear(connection):
        while data := connection.recv(1 << 16):
            heard.append(data)
            connection.sendall(data)

    lab.serve(7000, hear)
    return heard


@module_only
def is_data(lab):
    """The whole of it arrives, and comes back"""
    heard = _far_end(lab)
    with lab.connect(7000) as program:
        program.sendall(BEFORE + BEHIND)
        got = b""
        while len(got) < len(BEFORE + BEHIND):
            got += program.recv(1 << 16)
    equal(got, BEFORE + BEHIND, "the answer")
    equal(b"".join(heard), BEFORE + BEHIND, "what the far end has")


@module_only
def cancels(lab):
    """The far end gets what stands before it, the program a reset; no byte behind it is read as a command"""
    heard = _far_end(lab)
    for attempt in ("first", "second"):
        heard.clear()
        with lab.connect(7000) as program:
            program.settimeout(60)
            program.sendall(BEFORE + BEHIND)
            got, error = b"", None
            try:
                while data := program.recv(1 << 16):
                    got += data
            except ConnectionResetError as reset:
                error = reset.errno
        equal(errno.errorcode.get(error), "ECONNRESET", f"the end of the {attempt} connection")
        until(lambda: b"".join(heard) == BEFORE, 10, "what stands before the ESC at the far end")
    check(lab.transcript.count(r"-> AT\+CFUN=0") == 0, "AT+CFUN=0 was not read as a command")
    equal(lab.transcript.count("cancelled by ESC"), 1, "sends that were cancelled")
    equal(lab.status()["link"], "online", "link")
    note("the log says why")
    lab.daemon.wait_line("ESC", 1)


@module_only
def datagrams(lab):
    """A datagram with an ESC is dropped once the module is known to cancel; the others still pass"""
    heard = []
    far = lab.socket(socket.SOCK_DGRAM, lab.internet, timeout=20)
    far.bind((lab.SERVER, 7001))
    with lab.socket(socket.SOCK_DGRAM) as program:
        program.connect((lab.SERVER, 7001))
        for datagram in (b"one", b"two" + BEHIND, b"three"):
            program.send(datagram)
        while len(heard) < 2:
            heard.append(far.recv(2000))
    equal(heard, [b"one", b"three"], "what arrives")
    check(lab.transcript.count(r"-> AT\+CFUN=0") == 0, "AT+CFUN=0 was not read as a command")


if __name__ == "__main__":
    run(({}, [is_data]), ({"sim": ["--quirk", "esc-cancels"]}, [cancels, datagrams]))
