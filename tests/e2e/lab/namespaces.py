"""A network namespace: sockets in it and programs in it."""

import contextlib
import ctypes
import errno
import os
import socket
import subprocess

from .waiting import until

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    def __init__(self, name):
        self.name = name
        self.path = f"/run/netns/{name}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.ip("link", "set", "lo", "up")

    def remove(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)

    def command(self, argv):
        """The same command, carried out in here. It replaces nsenter: the process is the program's own."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def run(self, argv, timeout=60, **more):
        """Runs to the end; never raises for an exit code, the caller checks it."""
        more.setdefault("stdin", subprocess.DEVNULL if "input" not in more else None)
        if more["stdin"] is None:
            del more["stdin"]
        return subprocess.run(self.command(argv), capture_output=True, timeout=timeout, **more)

    def ip(self, *args):
        return subprocess.run(["ip", "-n", self.name, *args], check=True, capture_output=True, text=True).stdout

    def sysctl(self, key, value):
        subprocess.run(self.command(["sysctl", "-qw", f"{key}={value}"]), check=True)

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in here. A socket stays where it was made."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(home)
            os.close(home)
            os.close(there)

    def socket(self, kind=socket.SOCK_STREAM, timeout=60):
        with self.entered():
            made = socket.socket(socket.AF_INET, kind)
        made.settimeout(timeout)
        return made

    def raw_tcp(self):
        with self.entered():
            made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        made.settimeout(5)
        return made

    def connect(self, address, timeout=60):
        made = self.socket(timeout=timeout)
        try:
            made.connect(address)
        except OSError:
            made.close()
            raise
        return made

    def listen(self, address, backlog=64):
        made = self.socket(timeout=None)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        until(lambda: _bound(made, address), 5, f"port {address[1]}")  # the scenario before may just let go of it
        made.listen(backlog)
        return made


def _bound(made, address):
    try:
        made.bind(address)
        return True
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False


def _setns(fd):
    if _libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
