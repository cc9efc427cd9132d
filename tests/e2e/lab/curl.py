"""curl --retry, as a program that is written for the field uses it."""

import os
import subprocess

from .process import Process

RETRY = ["--retry", "60", "--retry-all-errors", "--retry-delay", "1", "--connect-timeout", "60", "--speed-time", "8",
         "--speed-limit", "1", "--no-progress-meter"]


class Transfer:
    """One curl. `upload` is the file that it sends; otherwise what it gets is in `path`."""

    def __init__(self, lab, url, name="curl", upload=None, more=()):
        self.path = f"/run/qimux-lab/{name}.got"
        if os.path.exists(self.path):
            os.remove(self.path)
        log = os.path.join(lab.log_dir, f"{name}.log")
        if os.path.exists(log):
            os.remove(log)
        argv = ["curl", *RETRY, *more, *(["-T", upload] if upload else []), "-o", self.path, url]
        self.process = lab.keep(Process(name, lab.gateway.command(argv), lab.log_dir, stdin=subprocess.DEVNULL))

    def arrived(self):
        try:
            return os.path.getsize(self.path)
        except OSError:
            return 0

    def wait(self, timeout):
        """The exit code."""
        return self.process.wait(timeout)

    def retries(self):
        return self.process.log().count("Will retry")

    def content(self):
        with open(self.path, "rb") as file:
            return file.read()
