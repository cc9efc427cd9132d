"""What the daemon costs: wakeups, memory, processor time."""

import glob
import os
import re
import subprocess
import sys
import time

from lab import check, equal, note
from lab.lab import BUILD


def _wakeups(pid):
    """How often its threads went to sleep so far: as often as something woke them."""
    count = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path) as file:
            count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    return count


def prove_wakeup_count():
    """The same count for a program that is known to wake ten times."""
    print("how wakeups are counted:", flush=True)
    program = "import sys, time\nsys.stdin.read(1)\nfor _ in range(10): time.sleep(0.1)\nsys.stdin.read(1)\n"
    with subprocess.Popen([sys.executable, "-B", "-c", program], stdin=subprocess.PIPE, bufsize=0) as sleeper:
        time.sleep(0.5)
        before = _wakeups(sleeper.pid)
        sleeper.stdin.write(b"x")
        time.sleep(2)
        counted = _wakeups(sleeper.pid) - before
        sleeper.stdin.write(b"x")
    equal(counted, 11, "wakeups of a program that reads once and sleeps ten times")


def idle(lab, seconds=20):
    print("idle:", flush=True)
    lab.serve(8007, lambda c: (c.sendall(c.recv(1)), c.recv(1)))
    connections = [lab.connect(8007) for _ in range(6)]
    for connection in connections:
        connection.sendall(b"x")
        equal(connection.recv(1), b"x", "echo")
    time.sleep(5)
    lines = lab.transcript.length()
    before = _wakeups(lab.daemon.pid)
    time.sleep(seconds)
    counted = _wakeups(lab.daemon.pid) - before
    note(f"{lab.transcript.length() - lines} lines in the module's transcript meanwhile")
    equal(lab.taken(), 6, "sockets connected")
    return {"wakeups in 20 s, six idle sockets": (counted, "")}


def costs(lab):
    print("costs:", flush=True)
    size = 0
    for _, _, text in lab.transcript.entries():
        found = re.match(r"\+QIRD: .*,(\d+)$|AT\+QISEND=\d,(\d+)$", text)
        size += int(found.group(1) or found.group(2)) if found else 0
    cpu = lab.daemon.cpu_seconds()
    with open(f"/proc/{lab.daemon.pid}/status") as file:
        peak = int(re.search(r"^VmHWM:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))
    note(f"{cpu:.2f} s for {size} bytes of payload and {lab.transcript.length()} lines; {peak / 1024:.2f} MB resident at most")
    return {"resident memory": (lab.daemon.resident_kib() / 1024, "MB"),
            "CPU for a transferred MB": (cpu / (size / 1e6), "s")}


def rewriting():
    print("rewriting:", flush=True)
    program = f"{BUILD}/tests/bench/rewrite_bench"
    check(os.path.exists(program), f"{os.path.basename(program)} is built")
    def rate(*arguments):
        ended = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
        equal(ended.returncode, 0, f"exit code {ended.stderr.strip()}".strip())
        return float(re.search(r"packets_per_second=([\d.]+)", ended.stdout).group(1))

    note(f"in memory alone, without the two TUNs: {rate():,.0f} packets a second")
    return {"packets a second from TUN to TUN, one core": (rate("--tun", "--packets", "300000"), "")}
