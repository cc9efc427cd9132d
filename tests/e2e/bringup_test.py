"""A module in whatever state and dialect comes up, and a page goes through it."""

import hashlib
import signal
import time

from lab import check, equal, module_only, note, run, until
from lab.payloads import every_byte
from lab.web import Web

PAGE = every_byte(4000)
SPELLINGS = ["urc-no-space", "closed-no-space", "closed-twice", "indexed-send-ok", "pdp-deact-colon", "qisack-no-spaces",
             "plain-close-ok", "state-no-final-ok", "cr-cr-lf", "chunked"]


@module_only
def page(lab):
    """A page through it"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    ended = lab.gateway.run(["curl", "-sS", "--max-time", "40", f"http://{lab.SERVER}/"])
    equal(ended.returncode, 0, f"exit code of curl {ended.stderr.decode().strip()}".strip())
    equal(hashlib.sha256(ended.stdout).hexdigest(), hashlib.sha256(PAGE).hexdigest(), "sha256 of the page")


@module_only
def by_edges(lab):
    """The module knows AT+QINDI=1 only, and that is what is used"""
    equal(lab.status()["mode"], 1, "mode")
    check(lab.transcript.count(r"-> AT\+QINDI=2") >= 1, "AT+QINDI=2 was tried first")
    check(lab.transcript.count(r"<- \+QIRDI: ?0,1,\d(?![\d,])") >= 1, "arrivals are told without sizes")


@module_only
def by_packets(lab):
    """The module knows AT+QINDI=2, and that is what is used"""
    equal(lab.status()["mode"], 2, "mode")


@module_only
def cut_in_a_send(lab):
    """SIGKILL while the module waits for the bytes of an AT+QISEND: the next daemon fills it up and is online"""
    lab.serve(7000, lambda c: c.recv(1 << 20))
    connection = lab.connect(7000)
    # The prompt has come and 1460 bytes are on their way, which takes 127 ms at this rate.
    begun = lab.transcript.watch(r"-> AT\+QISEND=\d,1460")
    connection.send(bytes(20000))
    begun.time()
    time.sleep(0.03)
    equal(lab.daemon.stop(signal.SIGKILL), -signal.SIGKILL, "exit code")
    # What was in the tty's buffer has arrived; what was not never will.
    time.sleep(1)
    lab.start_daemon()
    until(lambda: lab.ctl("--json", "status").returncode == 0, 20, "the new daemon to answer")
    lab.wait_online()
    note("online again")
    page(lab)


@module_only
def wrong_pin(lab):
    """A PIN that the SIM refuses is given once, and said to be wrong; a third wrong one would lock the SIM"""
    lab.start_sim()
    lab.start_daemon()
    lab.daemon.wait_line(r"module\.pin", 30)
    check(True, "the log tells which key is wrong")
    # The next attempts to come up, after 1, 2 and 4 s.
    time.sleep(9)
    equal(lab.transcript.count(r"-> AT\+CPIN="), 1, "AT+CPIN= on the line")
    log = lab.daemon.log()
    check("4321" not in log, "the log does not tell the PIN")
    status = lab.status()
    check(status["link"] != "online", f"link is {status['link']}")
    check("pin" in (status["last_error"] or "").lower(), f"last_error: {status['last_error']}")


if __name__ == "__main__":
    run(({"sim": ["--power-on", "--boot-time", "1"]}, [page, by_packets]),
        ({"sim": ["--autobaud", "--power-on", "--boot-time", "1"]}, [page]),
        ({"sim": ["--pin", "1234", "--power-on", "--boot-time", "1"], "settings": {"module": {"pin": "1234"}}}, [page]),
        ({"sim": ["--firmware", "m95"]}, [page, by_edges]),
        ({"sim": ["--firmware", "note"]}, [page, by_edges]),
        ({"sim": [word for quirk in SPELLINGS for word in ("--quirk", quirk)]}, [page, by_packets]),
        ({}, [cut_in_a_send]),
        ({"start": False, "sim": ["--pin", "1234"], "settings": {"module": {"pin": "4321"}}}, [wrong_pin]))
