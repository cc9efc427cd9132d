"""What the status says of a loss, and what becomes of programs' connections."""

import time

from .checks import check, equal, note
from .payloads import every_byte
from .waiting import until
from .web import Web

PAGE = every_byte(2000)
# For the simulated module: so that a test of many starts is short.
QUICK = ["--boot-time", "1"]


def start_daemon(lab):
    """Until it answers; the link need not come up."""
    lab.start_daemon()
    until(lambda: lab.ctl("--json", "status").returncode == 0, 20, "the daemon to answer")


def trouble(lab):
    """The name of what is wrong, or None."""
    found = lab.status()["trouble"]
    return found and found["name"]


def online(lab):
    return lab.status()["link"] == "online"


def expect_trouble(lab, name, words, seconds=60):
    until(lambda: trouble(lab) == name, seconds, f"trouble {name}")
    status = lab.status()
    message = status["trouble"]["message"]
    check(all(word in message for word in words), f"{status['link']}: {message}")
    shown = lab.ctl("status").stdout
    check(message in shown, "qimuxctl status shows it")
    lab.daemon.wait_line(f"trouble: {name}", 10)


def page(lab):
    lab.keep(Web(lab, 80, {"/": PAGE}))
    ended = lab.gateway.run(["curl", "-sS", "--max-time", "40", "--retry", "5", "--retry-all-errors", f"http://{lab.SERVER}/"])
    equal(ended.returncode, 0, f"exit code of curl {ended.stderr.decode().strip()}".strip())
    check(ended.stdout == PAGE, "the page is right")


def back(lab, seconds=90):
    until(lambda: online(lab) and trouble(lab) is None, seconds, "online, and no trouble")
    page(lab)


def talk(lab, port=7000):
    """A connection that has had an answer."""
    lab.serve(port, lambda c: [c.sendall(c.recv(100)), c.recv(100)])
    connection = lab.connect(port)
    connection.sendall(b"hello")
    equal(connection.recv(100), b"hello", "an echo")
    return connection


def reset(connection, seconds, what):
    """The program gets ECONNRESET within so many seconds."""
    connection.settimeout(seconds)
    begin = time.monotonic()
    try:
        data = connection.recv(100)
        check(False, f"{what}: the program got {data!r} instead of a reset")
    except ConnectionResetError:
        note(f"{what}: ECONNRESET after {time.monotonic() - begin:.1f} s")
