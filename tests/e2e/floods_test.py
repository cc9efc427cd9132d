"""Floods from programs: what was established goes on, nothing grows, and all is given back."""

import errno
import glob
import itertools
import json
import os
import re
import socket
import statistics
import subprocess
import threading
import time

from lab import Failed, check, equal, module_only, note, pattern, run, sha256, until, within
from lab.lab import BUILD
from lab.packets import dns_name, dns_question

CONTENT = pattern(2_000_000, seed=21)
EXCHANGE = 32
BOUNDS = {"tcp": 1024, "tcp_local": 256, "udp": 256, "nat_ports": 1024, "nat_resting": 8192 + 256, "connect_queue": 64,
          "sessions": 64 + 6 + 64 + 1, "questions": 32, "pings": 8, "dns_waiting": 64, "dns_cache": 512,
          "dns_connections": 16}
# A flood may not cost more memory than full tables do.
MOST_GROWTH_KIB = 4096


class Download(threading.Thread):
    """Goes on from the first flood to the last; every byte is compared with what was sent."""

    def __init__(self, lab, port):
        super().__init__(daemon=True)
        self.enough, self.error, self.count = threading.Event(), None, 0
        lab.serve(port, self._pour)
        self.connection = lab.connect(port)
        self.start()

    def _pour(self, connection):
        sent = 0
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        while not self.enough.is_set():
            connection.sendall(CONTENT[sent:sent + 1000])
            sent += 1000
        connection.sendall(b"end")
        connection.close()

    def run(self):
        got = bytearray()
        try:
            while data := self.connection.recv(8192):
                got += data
                self.count += len(data)
            size = len(got) - len(b"end")
            if not got.endswith(b"end") or sha256(got[:size]) != sha256(CONTENT[:size]):
                raise Failed(f"{len(got)} bytes that are not what was sent")
        except (OSError, Failed) as error:
            self.error = error


class PingPong(threading.Thread):
    """One small question after the other; knows how long each answer took."""

    def __init__(self, lab, port):
        super().__init__(daemon=True)
        self.times, self.error, self.over = [], None, False
        lab.serve(port, self._echo)
        self.connection = lab.connect(port)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.start()

    @staticmethod
    def _echo(connection):
        while data := connection.recv(EXCHANGE, socket.MSG_WAITALL):
            connection.sendall(data)

    def run(self):
        number = 0
        try:
            while not self.over:
                number += 1
                asked = pattern(EXCHANGE, seed=number)
                begin = time.monotonic()
                self.connection.sendall(asked)
                if self.connection.recv(EXCHANGE, socket.MSG_WAITALL) != asked:
                    raise Failed("a wrong answer")
                self.times.append(time.monotonic() - begin)
                time.sleep(0.1)
        except (OSError, Failed) as error:
            self.error = error

    def since(self, index):
        times = sorted(self.times[index:])
        return statistics.median(times), times[int(len(times) * 0.95)], times[-1], len(times)


def fds(lab):
    return len(os.listdir(f"/proc/{lab.daemon.pid}/fd"))


def wakeups(lab):
    count = 0
    for path in glob.glob(f"/proc/{lab.daemon.pid}/task/*/status"):
        with open(path) as file:
            count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    return count


def stats(lab):
    ended = lab.ctl("--json", "stats", timeout=10)
    equal_quietly(ended.returncode, 0, "exit code of qimuxctl stats")
    return json.loads(ended.stdout)


def equal_quietly(got, want, what):
    if got != want:
        raise Failed(f"{what}: {got}")


class Watch:
    """Looks at the daemon while a flood goes on: what its tables hold at most, and how soon it answers."""

    def __init__(self, lab):
        self.lab, self.most, self.slowest, self.rss, self.fds = lab, {}, 0, 0, 0

    def look(self):
        begin = time.monotonic()
        now = stats(self.lab)
        self.slowest = max(self.slowest, time.monotonic() - begin)
        for name in BOUNDS:
            self.most[name] = max(self.most.get(name, 0), now[f"tables.{name}"])
        self.rss = max(self.rss, self.lab.daemon.resident_kib())
        self.fds = max(self.fds, fds(self.lab))
        return now


def pour(lab, kind, rate, seconds, inside=False):
    argv = [f"{BUILD}/tests/e2e/e2e_flood", kind, "-" if inside else "gsm0", str(rate), str(seconds)]
    if inside:
        argv.append(str(lab.daemon.pid))
    return subprocess.Popen(lab.gateway.command(argv), stdout=subprocess.PIPE, text=True)


def said(flood):
    out, _ = flood.communicate(timeout=60)
    equal_quietly(flood.returncode, 0, "exit code of the flood")
    return {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", out)}


_ports = itertools.count(7100)


def connects_again(lab, limit):
    """Until a new connect works, counted from now."""
    port = next(_ports)
    lab.serve(port, lambda c: c.sendall(b"welcome"))
    begin = time.monotonic()
    while True:
        program = lab.socket(timeout=limit)
        code = program.connect_ex((lab.SERVER, port))
        if code == 0 and program.recv(7) == b"welcome":
            program.close()
            return time.monotonic() - begin
        program.close()
        if code not in (0, errno.EHOSTUNREACH, errno.EAGAIN):
            raise Failed(f"connect: {errno.errorcode.get(code)}")
        if time.monotonic() - begin > limit:
            raise Failed(f"no new connect within {limit} s")
        time.sleep(0.1)


class Beside:
    """The two flows that every flood has to leave alone."""
    download = ping = None
    before = None  # the ping's figures without a flood
    rss = fds = 0


def _flood(lab, kind, rate, seconds, again, inside=False):
    """One flood beside the two flows; gives what qimuxctl counted before and behind it."""
    watch, first, count = Watch(lab), len(Beside.ping.times), Beside.download.count
    before, cpu, begin = watch.look(), lab.daemon.cpu_seconds(), time.monotonic()
    flood = pour(lab, kind, rate, seconds, inside)
    while flood.poll() is None:
        watch.look()
        time.sleep(0.3)
    figures = said(flood)
    elapsed = time.monotonic() - begin
    note(f"{figures['sent']:.0f} packets, {figures['rate']:.0f} a second; the daemon used "
         f"{100 * (lab.daemon.cpu_seconds() - cpu) / elapsed:.0f} % of a processor")
    check(figures["rate"] > 0.85 * rate, f"the flood had its {rate} packets a second")
    if again:
        within(connects_again(lab, again), 0, again, "from the flood's end to a new connection")
    after = watch.look()
    _beside(lab, first, count, elapsed)
    for name, bound in BOUNDS.items():
        check(watch.most[name] <= bound, f"tables.{name}: {watch.most[name]} at most, of {bound}")
    within(watch.slowest, 0, 1.5, "slowest answer of the control socket")
    within(watch.rss - Beside.rss, -8192, MOST_GROWTH_KIB, f"memory over the {Beside.rss} KiB before", "KiB")
    check(watch.fds <= Beside.fds + 16 + 8, f"descriptors: {Beside.fds} before, {watch.fds} at most")
    return before, after


def _beside(lab, first, count, seconds):
    ping, download = Beside.ping, Beside.download
    for flow in (ping, download):
        if flow.error:
            raise Failed(f"{type(flow).__name__}: {flow.error}")
    median, late, longest, exchanges = ping.since(first)
    note(f"{exchanges} exchanges beside it: p50 {median * 1000:.0f} ms, p95 {late * 1000:.0f} ms, longest "
         f"{longest * 1000:.0f} ms; without a flood {Beside.before[0] * 1000:.0f}, {Beside.before[1] * 1000:.0f}, "
         f"{Beside.before[2] * 1000:.0f} ms")
    within(late, 0, Beside.before[1] + 0.4, "p95 of the interactive flow")
    within(longest, 0, 2.5, "longest exchange")
    rate = (download.count - count) / seconds
    check(rate > 3_000, f"the download goes on, at {rate:.0f} bytes/s")


@module_only
def begins(lab):
    """A download and small exchanges, before any flood"""
    Beside.download, Beside.ping = Download(lab, 7001), PingPong(lab, 7002)
    # They outlast this scenario.
    Beside.kept, lab._scenario_things = lab._scenario_things, []
    until(lambda: len(Beside.ping.times) >= 30, 60, "thirty exchanges")
    Beside.before = Beside.ping.since(5)
    Beside.rss, Beside.fds = lab.daemon.resident_kib(), fds(lab)
    note(f"p50 {Beside.before[0] * 1000:.0f} ms, p95 {Beside.before[1] * 1000:.0f} ms; {Beside.rss} KiB, {Beside.fds} descriptors")


@module_only
def syns(lab):
    """10,000 SYNs a second for 20 s, to anywhere"""
    before, after = _flood(lab, "syn", 10_000, 20, again=8)
    refused = after["connect.queue_full"] - before["connect.queue_full"]
    check(refused > 100_000, f"{refused} were refused because the queue was full")


@module_only
def syns_to_the_names(lab):
    """SYNs to the name server's port, half of them from addresses where nobody resets them"""
    before, after = _flood(lab, "syn-names", 5_000, 4, again=8)
    refused = after["flows.local_refused"] - before["flows.local_refused"]
    check(refused > 5_000, f"{refused} were refused")
    ended = lab.gateway.run(["dig", "+tries=1", "+time=15", f"@{lab.DNS}", "one.example.net"])
    equal(ended.returncode, 0, "exit code of dig over UDP meanwhile")


@module_only
def spray(lab):
    """Datagrams to 60,000 ports"""
    before, after = _flood(lab, "spray", 10_000, 8, again=20)
    check(after["connect.queue_full"] > before["connect.queue_full"], "most were refused")


@module_only
def names(lab):
    """Ever different names, the same name, and connections that ask"""
    _flood(lab, "names", 5_000, 5, again=0)
    _flood(lab, "name", 5_000, 5, again=0)
    over = threading.Event()
    threads = [threading.Thread(target=_ask, args=(lab, over, n), daemon=True) for n in range(24)]
    for thread in threads:
        thread.start()
    try:
        _flood(lab, "names", 100, 5, again=0)
    finally:
        over.set()
        for thread in threads:
            thread.join(15)
    now = stats(lab)
    check(now["dns.overflow"] > 10_000, f"{now['dns.overflow']} questions were told that there are too many")
    check(now["dns.connections_refused"] > 0, f"{now['dns.connections_refused']} connections were refused")


def _ask(lab, over, number):
    message = dns_question(dns_name(b"tcp%d" % number, b"example", b"net"))
    while not over.is_set():
        program = lab.gateway.socket(timeout=1)
        try:
            program.connect((lab.DNS, 53))
            program.sendall(len(message).to_bytes(2, "big") + message)
            program.recv(512)
        except OSError:
            pass
        finally:
            program.close()
        time.sleep(0.02)  # the exchanges that are timed share this interpreter


@module_only
def garbage(lab):
    """What no kernel sends, from the programs' side and from the inner kernel's"""
    before, after = _flood(lab, "garbage", 10_000, 6, again=20)
    for counter in ("malformed", "martians", "fragments", "not_routable", "strays"):
        count = after[f"packets.{counter}"] - before[f"packets.{counter}"]
        check(count > 1_000, f"packets.{counter}: {count}")
    before, after = _flood(lab, "garbage", 5_000, 4, again=8, inside=True)
    check(after["packets.from_inner"] - before["packets.from_inner"] > 10_000, "they came from the inner TUN")


@module_only
def ends(lab):
    """The two flows have all their bytes; then nothing is left: no entry, no descriptor, no work"""
    Beside.download.enough.set()
    Beside.download.join(60)
    Beside.ping.over = True
    Beside.ping.join(20)
    for flow in (Beside.download, Beside.ping):
        check(not flow.is_alive() and not flow.error, f"{type(flow).__name__}: {flow.error or 'whole'}")
    note(f"{Beside.download.count} bytes of the download, {len(Beside.ping.times)} exchanges")
    Beside.ping.connection.close()
    lab._scenario_things += Beside.kept
    lab.end_scenario()

    def empty():
        """But for connections that linger for a minute, and memories that are meant to last."""
        now = stats(lab)
        held = {name: now[f"tables.{name}"] for name in BOUNDS if name not in ("dns_cache", "nat_resting")}
        over = now["tables.tcp_over"]
        return held.pop("tcp") == held.pop("nat_ports") == over and not any(held.values())
    until(empty, 60, "empty tables", interval=1)
    # One look of ours costs a descriptor and wakes it; then it is left alone.
    until(lambda: fds(lab) <= Beside.fds, 10, f"the {Beside.fds} descriptors of before")
    note(f"{lab.daemon.resident_kib()} KiB now, {Beside.rss} KiB before the floods")
    within(lab.daemon.resident_kib() - Beside.rss, -8192, MOST_GROWTH_KIB, "memory that was not given back", "KiB")
    time.sleep(2)
    cpu, woken = lab.daemon.cpu_seconds(), wakeups(lab)
    time.sleep(10)
    within(lab.daemon.cpu_seconds() - cpu, 0, 0.05, "processor time in 10 s of quiet")
    within(wakeups(lab) - woken, 0, 6, "wakeups in 10 s of quiet", "")


if __name__ == "__main__":
    run(({"rtt": 100, "log_level": "info", "hosts": [("one.example.net", "198.51.100.1")],
          "settings": {"sockets": {"udp_idle": "5s"}}},
         [begins, syns, syns_to_the_names, spray, names, garbage, ends]))
