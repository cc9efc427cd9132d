"""The ends of connections: half-closes, closes and resets from both sides lose nothing and leave nothing."""

import errno
import socket
import struct
import threading
import time

from lab import check, equal, every_byte, module_only, note, pattern, run, sha256, until, within
from lab.packets import tcp_ack

LINGER = 4
UP, DOWN = pattern(6_000, seed=3), every_byte(12_000)


class Server:
    """One connection, served by `talk`; what it got is in `got`, how it ended in `end`."""

    def __init__(self, lab, port, talk):
        self.got, self.end, self.done = b"", None, threading.Event()
        lab.serve(port, lambda connection: self._run(connection, talk))

    def _run(self, connection, talk):
        self.connection = connection
        try:
            talk(self, connection)
        finally:
            connection.close()
            self.done.set()

    def read_to_end(self, connection):
        try:
            while data := connection.recv(65536):
                self.got += data
            self.end = "EOF"
        except OSError as error:
            self.end = errno.errorcode[error.errno]


def receive_all(connection):
    out = b""
    while data := connection.recv(65536):
        out += data
    return out


def all_free(lab):
    if not lab.direct:
        until(lambda: lab.taken() == 0, LINGER + 10, "the module's sockets to be free")
        check(True, "the module's sockets are free")


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half_close_by_the_program(lab):
    """A program that is done sending still gets the whole answer"""
    def talk(server, connection):
        while len(server.got) < len(UP):
            server.got += connection.recv(65536)
        time.sleep(1.5)  # an answer that takes a while
        connection.sendall(DOWN)
        connection.close()
    server = Server(lab, 7000, talk)
    connection = lab.connect(7000)
    connection.sendall(UP)
    connection.shutdown(socket.SHUT_WR)
    equal(sha256(receive_all(connection)), sha256(DOWN), "sha256 of the answer, then the end")
    server.done.wait(10)
    equal(sha256(server.got), sha256(UP), "sha256 at the server")
    all_free(lab)


def end_reaches_the_server(lab):
    """A server that waits for the end of the data gets it, after all of the data"""
    server = Server(lab, 7001, Server.read_to_end)
    connection = lab.connect(7001)
    begin = time.monotonic()
    connection.sendall(UP)
    connection.shutdown(socket.SHUT_WR)
    equal(receive_all(connection), b"", "answer of a server that has none")
    server.done.wait(30)
    equal((sha256(server.got), server.end), (sha256(UP), "EOF"), "sha256 and end at the server")
    note(f"{time.monotonic() - begin:.1f} s; the module knows no half-close, so the linger time is part of it")
    all_free(lab)


def half_close_by_the_server(lab):
    """A server that is done sending: the program has all of it, then the end"""
    def talk(server, connection):
        while len(server.got) < len(UP):
            server.got += connection.recv(65536)
        connection.sendall(DOWN)
        connection.shutdown(socket.SHUT_WR)
        server.read_to_end(connection)
    server = Server(lab, 7002, talk)
    connection = lab.connect(7002)
    connection.sendall(UP)
    equal(sha256(receive_all(connection)), sha256(DOWN), "sha256 of what was received, then the end")
    connection.close()
    check(server.done.wait(20), "the server sees the program's close")
    equal(sha256(server.got), sha256(UP), "sha256 at the server")
    all_free(lab)


def remote_close_with_data_unread(lab):
    """The server closes while the program has not read yet: nothing is lost"""
    def talk(_, connection):
        connection.sendall(DOWN)
        connection.close()
    server = Server(lab, 7003, talk)
    connection = lab.connect(7003)
    server.done.wait(20)
    time.sleep(3)
    equal(sha256(receive_all(connection)), sha256(DOWN), "sha256 of what was read 3 s after the close, then the end")
    all_free(lab)


def close_after_a_large_write(lab):
    """A program that writes 60 kB and closes at once: all of it arrives"""
    content = pattern(60_000, seed=5)
    server = Server(lab, 7004, Server.read_to_end)
    connection = lab.connect(7004)
    connection.sendall(content)
    connection.close()
    check(server.done.wait(60), "the server sees the end")
    equal((len(server.got), sha256(server.got), server.end), (len(content), sha256(content), "EOF"), "at the server")
    all_free(lab)


def reset_by_the_program(lab):
    """A program's reset ends the server's connection and frees the socket, with data on the way or not"""
    for port, content in ((7005, b"x"), (7006, pattern(20_000))):
        server = Server(lab, port, Server.read_to_end)
        connection = lab.connect(port)
        connection.sendall(content)
        until(lambda s=server: s.got, 10, "the first byte at the server")
        begin = time.monotonic()
        reset(connection)
        check(server.done.wait(10), f"the server's connection ends ({server.end})")
        within(time.monotonic() - begin, 0, 3, "it ended after")
        check(content.startswith(server.got), f"{len(server.got)} bytes at the server are the first of {len(content)}")
        all_free(lab)


def reset_by_the_server(lab):
    """A server's reset with the program's data unacknowledged is never a clean end"""
    def talk(server, connection):
        server.got = connection.recv(100)
        reset(connection)
    server = Server(lab, 7007, talk)
    connection = lab.connect(7007)
    begin = time.monotonic()
    try:
        connection.sendall(pattern(40_000))  # may be cut short already
        server.done.wait(20)
        begin = time.monotonic()
        while connection.recv(65536):
            pass
        end = "EOF"
    except OSError as error:
        end = errno.errorcode[error.errno]
    equal(end, "ECONNRESET", "what the program sees")
    within(time.monotonic() - begin, 0, 5, "it saw it after")
    all_free(lab)


@module_only
def idle_reset_by_the_server(lab):
    """A server's reset of an idle connection is seen: the module tells no reset from a close"""
    server = Server(lab, 7008, lambda s, c: (c.recv(1), reset(c)))
    connection = lab.connect(7008)
    connection.sendall(b"x")
    server.done.wait(10)
    begin = time.monotonic()
    try:
        connection.settimeout(10)
        end = "EOF" if not connection.recv(1) else "data"
    except ConnectionResetError:
        end = "ECONNRESET"
    check(end in ("EOF", "ECONNRESET"), f"the program sees {end}")
    within(time.monotonic() - begin, 0, 3, "it saw it after")
    connection.close()
    all_free(lab)


def stray_segment(lab):
    """A segment of a connection that nobody knows is answered with a reset, not kept waiting"""
    raw = lab.keep(lab.gateway.raw_tcp())
    source = (lab.GATEWAY, 45_678)
    raw.sendto(tcp_ack(source, (lab.SERVER, 7009), sequence=1_000, acknowledged=424_242), (lab.SERVER, 0))

    def answer():
        packet = raw.recv(2048)
        segment = packet[(packet[0] & 15) * 4:]
        ports, sequence, flags = struct.unpack(">HH", segment[:4]), *struct.unpack(">I", segment[4:8]), segment[13]
        return ports == (7009, 45_678) and flags & 4 and ("RST", sequence)

    equal(until(answer, 5, "an answer"), ("RST", 424_242), "answer, with the sequence number that was acknowledged")


if __name__ == "__main__":
    run(({"settings": {"sockets": {"half_close_linger": f"{LINGER}s"}}},
         [half_close_by_the_program, end_reaches_the_server, half_close_by_the_server, remote_close_with_data_unread,
          close_after_a_large_write, reset_by_the_program, reset_by_the_server, idle_reset_by_the_server,
          stray_segment]))
