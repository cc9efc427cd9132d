"""Loads on the line, each checked byte for byte."""

import re
import socket
import statistics
import threading
import time

from lab import check, equal, note, pattern, sha256, until

SIZE = 230_400  # 20 s of a line at 115200 baud
DATA = pattern(600_000, seed=11)
EXCHANGE = 32


def line(lab):
    """What the line can carry, bytes a second: ten bits a byte."""
    return lab.baud / 10


class Reader(threading.Thread):
    """Reads until the end; what it gets has to be DATA from its begin on."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection, self.got = connection, bytearray()
        self.start()

    def run(self):
        try:
            while data := self.connection.recv(65536):
                self.got += data
        except OSError:
            pass

    def end(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.join(10)
        check(DATA.startswith(bytes(self.got)), f"{len(self.got)} bytes of a download are what was sent")


def _reads(lab, since):
    """Payload bytes by the module's transcript: (received by QIRD, sent by QISEND)"""
    down = up = 0
    for _, direction, text in lab.transcript.entries(since):
        if direction == "<-" and (found := re.match(r"\+QIRD: .*,(\d+)$", text)):
            down += int(found.group(1))
        elif direction == "->" and (found := re.match(r"AT\+QISEND=\d,(\d+)$", text)):
            up += int(found.group(1))
    return down, up


def download(lab):
    print("download:", flush=True)
    lab.serve(8000, lambda c: (c.sendall(DATA[:SIZE]), c.close()))
    since, begin = lab.transcript.length(), time.monotonic()
    connection, got = lab.connect(8000), bytearray()
    while data := connection.recv(65536):
        got += data
    seconds = time.monotonic() - begin
    equal(sha256(got), sha256(DATA[:SIZE]), f"sha256 of {SIZE} bytes")
    equal(_reads(lab, since)[0], SIZE, "bytes by the module's transcript")
    return {"one download, payload of the line": (SIZE / seconds / line(lab), "")}


def upload(lab):
    print("upload:", flush=True)
    got, arrived = bytearray(), threading.Event()

    def take(connection):
        while len(got) < SIZE:
            got.extend(connection.recv(65536))
        arrived.set()
        connection.close()
    lab.serve(8001, take)
    since, begin = lab.transcript.length(), time.monotonic()
    connection = lab.connect(8001)
    connection.sendall(DATA[:SIZE])
    check(arrived.wait(60), "all of it is at the server")
    seconds = time.monotonic() - begin
    equal(sha256(got), sha256(DATA[:SIZE]), f"sha256 of {SIZE} bytes")
    equal(_reads(lab, since)[1], SIZE, "bytes by the module's transcript")
    return {"one upload, payload of the line": (SIZE / seconds / line(lab), "")}


def _endless(lab, port, count):
    lab.serve(port, lambda c: c.sendall(DATA))
    readers = [Reader(lab.connect(port)) for _ in range(count)]
    until(lambda: all(len(r.got) > 3_000 for r in readers), 30, f"{count} downloads to run")
    return readers


def six_downloads(lab, seconds=20):
    print("six downloads:", flush=True)
    readers = _endless(lab, 8002, 6)
    begin, before = time.monotonic(), [len(r.got) for r in readers]
    time.sleep(seconds)
    rates = [(len(r.got) - b) / (time.monotonic() - begin) for r, b in zip(readers, before)]
    equal(lab.taken(), 6, "sockets taken")
    for reader in readers:
        reader.end()
    note("bytes/s: " + ", ".join(f"{rate:.0f}" for rate in rates))
    jain = sum(rates) ** 2 / (6 * sum(rate * rate for rate in rates))
    _settle(lab)
    return {"six downloads, payload of the line": (sum(rates) / line(lab), ""), "six downloads, Jain's fairness": (jain, "")}


def _exchanges(lab, port, count):
    def echo(connection):
        while data := connection.recv(EXCHANGE, socket.MSG_WAITALL):
            connection.sendall(data)
    lab.serve(port, echo)
    connection = lab.connect(port)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    for number in range(count):
        question = pattern(EXCHANGE, seed=number)
        begin = time.monotonic()
        connection.sendall(question)
        answer = connection.recv(EXCHANGE, socket.MSG_WAITALL)
        times.append((time.monotonic() - begin) * 1000)
        if answer != question:
            equal(answer, question, "answer")
        time.sleep(0.05)
    connection.close()
    note(f"{count} exchanges: p50 {statistics.median(times):.1f} ms, longest {max(times):.1f} ms")
    return statistics.median(times)


def request_alone(lab):
    print("request and answer:", flush=True)
    return {"32-byte request and answer, p50, alone": (_exchanges(lab, 8003, 100), "ms")}


def request_beside_downloads(lab):
    print("request and answer beside three downloads:", flush=True)
    readers = _endless(lab, 8004, 3)
    p50 = _exchanges(lab, 8005, 40)
    for reader in readers:
        reader.end()
    _settle(lab)
    return {"32-byte request and answer, p50, beside three downloads": (p50, "ms")}


def connect(lab, count=20):
    """connect() less what the module takes: its thinking, and its command and answers on the line."""
    print("connect:", flush=True)
    lab.serve(8006, lambda c: c.recv(1))
    added = []
    for _ in range(count):
        since = lab.transcript.length()
        begin = time.monotonic()
        connection = lab.connect(8006)
        total = time.monotonic() - begin
        entries = list(lab.transcript.entries(since))
        asked = next((t, len(text) + 1) for t, way, text in entries if way == "->" and text.startswith("AT+QIOPEN"))
        said = next((t, len("\r\nOK\r\n") + len(text) + 4) for t, way, text in entries if text.endswith("CONNECT OK"))
        module = said[0] - asked[0] + (asked[1] + said[1]) / line(lab)
        added.append((total - module) * 1000)
        connection.close()
        _settle(lab)
    note(f"added to {count} connects: p50 {statistics.median(added):.2f} ms, most {max(added):.2f} ms")
    return {"connect, added to the module's own time": (statistics.median(added), "ms")}


def _settle(lab):
    """Until nothing of the last load is on the line any more."""
    until(lambda: lab.taken() == 0, 60, "six free sockets")
