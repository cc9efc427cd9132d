"""Every way in which a connect can end: the errno that a program sees, and when it sees it."""

import errno
import os
import socket
import threading
import time

from lab import Failed, check, equal, module_only, note, run, until, within

ANSWER = 0.050  # the program's answer comes this soon after the module's
CONNECT_TIMEOUT, HOLD, QUEUE = 6, 3, 3
SETTINGS = {
    "sockets": {"connect_timeout": f"{CONNECT_TIMEOUT}s", "connect_queue": QUEUE},
    "tun": {"hold_offline": f"{HOLD}s"},
    "policy": [{"action": "deny", "protocol": "tcp", "port": 9999}],
}


class Attempt:
    """A blocking connect on a thread of its own: how it ended, and when."""

    def __init__(self, lab, port, address=None):
        self.socket = lab.socket(timeout=None)
        self._address = (address or lab.SERVER, port)
        self.begin = time.monotonic()
        self.end = self.error = None
        self._thread = threading.Thread(target=self._connect, daemon=True)
        self._thread.start()

    def _connect(self):
        error = self.socket.connect_ex(self._address)
        self.end = time.monotonic()
        self.error = error

    def give_up(self):
        """close() alone would not: the thread in connect() still holds the socket"""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # not connected, it says, and has left SYN-SENT
        self.socket.close()

    def ended(self):
        return not self._thread.is_alive()

    def result(self, timeout=30):
        """The errno's name, "OK" where it went well"""
        self._thread.join(timeout)
        if not self.ended():
            raise Failed(f"connect to {self._address} has not ended after {timeout} s")
        return errno.errorcode[self.error] if self.error else "OK"

    @property
    def seconds(self):
        return self.end - self.begin


def echo(connection):
    while data := connection.recv(4096):
        connection.sendall(data)


def refused(lab):
    """CONNECT FAIL is ECONNREFUSED, at once"""
    watch = None if lab.direct else lab.transcript.watch(r"<- [0-5], CONNECT FAIL")
    attempt = Attempt(lab, 4444)
    equal(attempt.result(), "ECONNREFUSED", "connect to a closed port")
    if watch:
        within(attempt.end - watch.time(), -0.005, ANSWER, "after the module's CONNECT FAIL")
        check(attempt.seconds >= 0.9 * lab.rtt / 1000, f"not before the network can have answered ({attempt.seconds:.3f} s)")


@module_only
def no_way(lab):
    """A network the internet knows no way to is the module's CONNECT FAIL too"""
    watch = lab.transcript.watch(r"<- [0-5], CONNECT FAIL")
    attempt = Attempt(lab, 80, lab.UNROUTED)
    equal(attempt.result(), "ECONNREFUSED", "connect to a place without a route")
    within(attempt.end - watch.time(), -0.005, ANSWER, "after the module's CONNECT FAIL")


def accepted(lab):
    """CONNECT OK lets connect() return, at once"""
    lab.serve(7000, echo)
    for _ in range(3):
        watch = None if lab.direct else lab.transcript.watch(r"<- [0-5], CONNECT OK")
        attempt = Attempt(lab, 7000)
        equal(attempt.result(), "OK", "connect")
        if watch:
            within(attempt.end - watch.time(), -0.005, ANSWER, "after the module's CONNECT OK")
        attempt.socket.sendall(b"there and back")
        equal(attempt.socket.recv(100), b"there and back", "echo")


@module_only
def no_answer(lab):
    """No answer within connect_timeout is EHOSTUNREACH"""
    attempt = Attempt(lab, 80, lab.HOLE)
    equal(attempt.result(), "EHOSTUNREACH", "connect to a black hole")
    within(attempt.seconds, CONNECT_TIMEOUT - 0.1, CONNECT_TIMEOUT + 1, "connect_timeout")


@module_only
def forbidden(lab):
    """What the policy denies is EHOSTUNREACH, without asking the module"""
    before = lab.transcript.count(r"-> AT\+QIOPEN=")
    attempt = Attempt(lab, 9999)
    equal(attempt.result(), "EHOSTUNREACH", "connect to a denied port")
    within(attempt.seconds, 0, ANSWER, "answered")
    equal(lab.transcript.count(r"-> AT\+QIOPEN="), before, "QIOPEN commands stay at")


@module_only
def six_taken(lab):
    """The seventh waits and is served as soon as one is free; past the queue it is EHOSTUNREACH"""
    lab.serve(7000, echo)
    held = [lab.connect(7000) for _ in range(6)]
    for connection in held:
        connection.sendall(b"x")
        connection.recv(1)
    equal(lab.taken(), 6, "sockets taken")
    waiting = [Attempt(lab, 7000) for _ in range(QUEUE)]
    until(lambda: lab.status()["queue"] == QUEUE, 5, f"{QUEUE} connects in the queue")
    over = Attempt(lab, 7000)
    equal(over.result(5), "EHOSTUNREACH", "connect with the queue full")
    within(over.seconds, 0, ANSWER, "answered")
    check(not any(a.ended() for a in waiting), "those in the queue still wait")
    opened = lab.transcript.watch(r"<- [0-5], CONNECT OK")
    freed = time.monotonic()
    _reset(held[0])
    until(lambda: any(a.ended() for a in waiting), 10, "the first of the queue to be served")
    first = next(a for a in waiting if a.ended())
    equal(first.result(), "OK", "connect that had waited")
    within(first.end - freed, 0, 1 + lab.rtt / 1000, "after a socket was given back")
    within(first.end - opened.time(), -0.005, ANSWER, "after the module's CONNECT OK")
    for attempt in waiting:
        if attempt is not first:
            attempt.give_up()
    until(lambda: lab.status()["queue"] == 0, 10, "the queue to forget programs that gave up")
    check(True, "programs that gave up are forgotten")


@module_only
def remote_closed(lab):
    """What the remote sent before it closed is all there, then the end"""
    lab.serve(7001, lambda c: (c.sendall(b"last words" * 500), c.close()))
    connection = lab.connect(7001)
    equal(_all(connection), b"last words" * 500, "received before the end")


@module_only
def lost(lab):
    """With the module gone, established connections are ECONNRESET, and new ones ENETUNREACH after hold_offline"""
    lab.serve(7000, echo)
    connection = lab.connect(7000)
    connection.sendall(b"x")
    equal(connection.recv(1), b"x", "echo")
    lab.sim.popen.kill()
    lab.sim.wait()
    lab.sim = None
    begin = time.monotonic()
    equal(_error(lambda: connection.recv(1)), "ECONNRESET", "an established connection")
    note(f"{time.monotonic() - begin:.3f} s after the module went away")
    attempt = Attempt(lab, 7000)
    equal(attempt.result(), "ENETUNREACH", "a new connect")
    within(time.monotonic() - begin, HOLD - 0.1, HOLD + 1.5, "after the module went away")
    attempt = Attempt(lab, 7000)
    equal(attempt.result(), "ENETUNREACH", "another one later")
    within(attempt.seconds, 0, HOLD + 1, "answered")


@module_only
def back_again(lab):
    """With the module back, the same connect goes well; TUN and routes stayed all the time"""
    routes = lab.gateway.ip("route", "show", "dev", "gsm0")
    with_module_gone = bool(routes) and not os.path.exists(lab.LINK)
    check(with_module_gone, "the routes are there while the module is not")
    lab.start_sim()
    lab.wait_online()
    lab.serve(7000, echo)
    equal(Attempt(lab, 7000).result(), "OK", "connect")
    equal(lab.gateway.ip("route", "show", "dev", "gsm0"), routes, "routes")


def _reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def _all(connection):
    out = b""
    while data := connection.recv(65536):
        out += data
    return out


def _error(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "OK"


if __name__ == "__main__":
    run(({"settings": SETTINGS},
         [refused, no_way, accepted, no_answer, forbidden, six_taken, remote_closed, lost, back_again]))
