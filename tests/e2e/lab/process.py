"""A program under supervision, with what it says kept in a file."""

import os
import re
import signal
import subprocess
import time

from .checks import Failed
from .waiting import until


class Process:
    def __init__(self, name, argv, log_dir, **more):
        self.name = name
        self.log_path = os.path.join(log_dir, f"{name}.log")
        self._log = open(self.log_path, "ab")
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", self._log)
        self.popen = subprocess.Popen(argv, stderr=self._log, **more)
        self.pid = self.popen.pid

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def alive(self):
        return self.popen.poll() is None

    def wait_line(self, pattern, timeout=10):
        """The first line that matches; fails at once when the program has ended without it."""
        def found():
            match = re.search(pattern, self.log(), re.MULTILINE)
            if not match and not self.alive() and not re.search(pattern, self.log(), re.MULTILINE):
                raise Failed(f"{self.name} ended with {self.popen.returncode} before it said {pattern!r}")
            return match
        return until(found, timeout, f"{pattern!r} from {self.name}")

    def stop(self, sign=signal.SIGTERM, timeout=15):
        """Sends the signal and returns the exit code; a program that ignores it is a failure."""
        if self.alive():
            self.popen.send_signal(sign)
        return self.wait(timeout)

    def wait(self, timeout=15):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failed(f"{self.name} did not end within {timeout:g} s") from None
        finally:
            if not self._log.closed:
                self._log.close()

    def cpu_seconds(self):
        """User and system time so far."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))


def wait_listening(namespace, port, protocol="tcp", timeout=10):
    """Until some program has the port: servers say when they are ready in too many ways."""
    flag = {"tcp": "-Htln", "udp": "-Huln"}[protocol]
    def there():
        return f":{port} " in namespace.run(["ss", flag, f"sport = :{port}"], text=True).stdout
    until(there, timeout, f"a {protocol} server on port {port}")


def elapsed(action):
    """(result, seconds)"""
    begin = time.monotonic()
    result = action()
    return result, time.monotonic() - begin
