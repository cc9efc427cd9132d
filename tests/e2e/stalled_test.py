"""A program that stops reading holds up its own server and nobody else."""

import array
import fcntl
import hashlib
import socket
import termios
import threading
import time

from lab import check, equal, module_only, note, pattern, run, until, within

STALL = 20
CONTENT = pattern(400_000, seed=9)


class Sender:
    """Sends CONTENT on `port`; knows how much of it the network has not acknowledged."""

    def __init__(self, lab, port):
        self.connection = None
        lab.serve(port, self._send)

    def _send(self, connection):
        self.connection = connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        self.written = 0
        for at in range(0, len(CONTENT), 1000):
            connection.sendall(CONTENT[at:at + 1000])
            self.written = at + 1000
        connection.close()

    def unsent(self):
        queued = array.array("i", [0])
        fcntl.ioctl(self.connection.fileno(), termios.TIOCOUTQ, queued)
        return queued[0]

    def taken(self):
        """Bytes that left the server for good."""
        return self.written - self.unsent()


class Reader(threading.Thread):
    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection, self.count = connection, 0
        self.start()

    def run(self):
        while data := self.connection.recv(8192):
            self.count += len(data)

    def rate(self, seconds):
        begin, count = time.monotonic(), self.count
        time.sleep(seconds)
        return (self.count - count) / (time.monotonic() - begin)


def small_window(lab, port):
    connection = lab.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((lab.SERVER, port))
    return connection


def stops_reading(lab):
    """For 20 s: the server keeps its data, another download keeps its rate; then every byte is there"""
    other = Reader(lab.connect(_endless(lab, 7001)))
    until(lambda: other.count > 30_000, 20, "the other download to run")
    alone = other.rate(6)
    sender = Sender(lab, 7000)
    stalled = small_window(lab, 7000)
    until(lambda: sender.connection, 10, "the server's connection")
    time.sleep(STALL / 2)
    taken = sender.taken()
    during = other.rate(STALL / 2)
    equal(sender.taken(), taken, f"bytes that the network took after {STALL / 2:g} s, and after {STALL} s")
    check(sender.unsent() > 0, f"the server keeps what does not fit: {sender.unsent()} bytes unsent")
    note(f"the other download: {alone:.0f} bytes/s before, {during:.0f} while one is stalled")
    if not lab.direct:
        check(taken < 100_000, f"only {taken} bytes are on the way to a program that does not read")
        within(during / alone, 0.9, 1.2, "rate of the other download, stalled over alone", "")
    other.connection.shutdown(socket.SHUT_RDWR)
    _read_exactly(stalled, 100_000)


def _read_exactly(connection, size):
    begin, digest, count = time.monotonic(), hashlib.sha256(), 0
    while count < size:
        data = connection.recv(min(8192, size - count))
        if not data:
            break
        digest.update(data)
        count += len(data)
    equal((count, digest.hexdigest()), (size, hashlib.sha256(CONTENT[:size]).hexdigest()),
          "bytes and sha256 once the program reads again")
    note(f"{count / (time.monotonic() - begin):.0f} bytes/s")


def _endless(lab, port):
    def pour(connection):
        while True:
            connection.sendall(b"z" * 1000)
            if lab.direct:
                time.sleep(0.01)
    lab.serve(port, pour)
    return port


@module_only
def uploads_to_a_stalled_server(lab):
    """A server that stops reading holds up its own program and nobody else"""
    release = threading.Event()
    digest, size = hashlib.sha256(), 60_000

    def slow(connection):
        release.wait(60)
        while data := connection.recv(8192):
            digest.update(data)
        release.clear()
    listener = lab.serve(7002, slow)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection = lab.connect(7002)
    writer = threading.Thread(target=lambda: (connection.sendall(CONTENT[:size]), connection.close()), daemon=True)
    writer.start()
    other = Reader(lab.connect(_endless(lab, 7003)))
    until(lambda: other.count > 30_000, 20, "a download beside it to run")
    beside = other.rate(10)
    within(beside / (lab.baud / 10), 0.75, 1, "download beside a stalled upload, of the line", "")
    other.connection.shutdown(socket.SHUT_RDWR)
    release.set()
    until(lambda: not release.is_set(), 60, "the server to have all of it")
    equal(digest.hexdigest(), hashlib.sha256(CONTENT[:size]).hexdigest(), "sha256 at the server")


if __name__ == "__main__":
    run(({"rtt": 100, "settings": {"sockets": {"half_close_linger": "4s"}}},
         [stops_reading, uploads_to_a_stalled_server]))
