"""Acknowledgements tell the truth, at 10 kB/s and 0.7 s, and cost nothing."""

import socket
import struct
import time

from lab import check, equal, module_only, note, pattern, run, within
from lab.upload import Upload, queued, tcp_info

DATA = pattern(150_000, seed=31)
SMALL = pattern(30_000, seed=32)
IDLE = 10
rates = {}


def _upload(lab, mode, port):
    upload = Upload(lab, port, DATA)
    upload.run()
    seconds = upload.wait_all(60)
    check(upload.error is None, f"no error ({upload.error})")
    rates[mode] = len(DATA) / seconds
    info = tcp_info(upload.connection)
    note(f"{mode}: {rates[mode]:.0f} bytes/s with {upload.control}; {upload.samples} samples, worst falsely acknowledged {upload.worst} bytes; "
         f"{info['retransmitted']} of {info['sent']} bytes sent again")
    return upload, info


@module_only
def remote(lab):
    """acknowledge = "remote": nothing is shown that the far end does not have"""
    upload, info = _upload(lab, "remote", 7001)
    equal(upload.worst, 0, "worst falsely acknowledged bytes")
    check(upload.samples > 1_000, f"{upload.samples} samples")
    within(info["retransmitted"] / info["sent"], 0, 0.05, "share of bytes that were sent again", "")
    # Nothing is unacknowledged, and nothing is asked.
    lines = lab.transcript.length()
    time.sleep(IDLE)
    asked = [text for _, way, text in lab.transcript.entries(lines) if way == "->"]
    equal([text for text in asked if text.startswith("AT+QISACK")], [], f"AT+QISACK in {IDLE} s without data")


def _linger(connection, seconds):
    connection.setblocking(True)
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))
    begin = time.monotonic()
    connection.close()
    return time.monotonic(), time.monotonic() - begin


def _write_all(upload):
    upload.run(until_done=False, seconds=0.5)
    equal(upload.written, len(upload.data), "bytes that the program's kernel has taken")


@module_only
def linger(lab):
    """SO_LINGER: close() returns when the far end has everything, and not before"""
    upload = Upload(lab, 7002, SMALL)
    _write_all(upload)
    returned, took = _linger(upload.connection, 60)
    check(upload.all_at is not None and upload.all_at <= returned,
          f"close() returned after {took:.2f} s, the server had all {len(SMALL)} bytes "
          f"{returned - (upload.all_at or returned):.2f} s before")
    check(upload.far_end() >= len(SMALL), "its kernel, too")


@module_only
def linger_in_vain(lab):
    """SO_LINGER into a dead path: close() returns when its time is over, with bytes that nobody has"""
    upload = Upload(lab, 7003, SMALL)
    _write_all(upload)
    index = next(s["index"] for s in lab.status()["sockets"] if s["remote"] == f"{lab.SERVER}:7003")
    equal(lab.fault(f"dead {index}").strip(), "ok", "the fault")
    upload.run(until_done=False, seconds=2)
    had, left = upload.far_end(), queued(upload.connection)
    check(left > 0, f"{left} bytes are not acknowledged, says SIOCOUTQ; the far end has {had}")
    check(upload.written - left <= had, "no more is shown as delivered than it has")
    _, took = _linger(upload.connection, 3)
    within(took, 2.8, 4.5, "close() with SO_LINGER of 3 s")
    check(upload.far_end() < len(SMALL), f"the far end never had all: {upload.far_end()} of {len(SMALL)} bytes")
    equal(upload.worst, 0, "worst falsely acknowledged bytes")


@module_only
def local(lab):
    """acknowledge = "local", for comparison: as fast, and false"""
    upload, _ = _upload(lab, "local", 7004)
    check(upload.worst > 1_000, f"{upload.worst} bytes were shown as delivered that the far end did not have")
    check(upload.samples > 1_000, "the samples are as many")
    ratio = rates["remote"] / rates["local"]
    within(ratio, 0.95, 1.5, f"upload rate, remote ({rates['remote']:.0f}) over local ({rates['local']:.0f} bytes/s)", "")
    program = Upload(lab, 7005, SMALL)
    _write_all(program)
    returned, took = _linger(program.connection, 60)
    check(program.all_at is None or program.all_at > returned,
          f"close() with SO_LINGER returned after {took:.2f} s, before the server had all")


if __name__ == "__main__":
    LINE = {"rtt": 700, "sim": ["--rate", "10000"], "log_level": "info"}
    run(({**LINE, "settings": {"tcp": {"acknowledge": "remote"}}}, [remote, linger, linger_in_vain]),
        ({**LINE, "settings": {"tcp": {"acknowledge": "local"}}}, [local]))
