"""The module's own record of its line: what it heard and said."""

import re
import threading
import time

from .checks import Failed


class Transcript:
    def __init__(self, path):
        self.path = path

    def text(self):
        with open(self.path, encoding="latin-1") as file:
            return file.read()

    def entries(self, since=0):
        """(seconds by the module's clock, "->" heard, "<-" said or "--" thought, text), from the line `since` on"""
        for line in self.text().splitlines()[since:]:
            match = re.match(r"\s*([\d.]+) (->|<-|--) (.*)", line)
            if match:
                yield float(match.group(1)), match.group(2), match.group(3)

    def length(self):
        return len(self.text().splitlines())

    def count(self, pattern):
        return len(re.findall(pattern, self.text()))

    def watch(self, pattern):
        """Starts looking now, at what is written from now on."""
        return _Watch(self.path, pattern)


class _Watch:
    """When a line came, by this process's monotonic clock, a millisecond late at most."""

    def __init__(self, path, pattern):
        self._pattern = re.compile(pattern)
        self._file = open(path, encoding="latin-1")
        self._file.seek(0, 2)
        self._seen = threading.Event()
        self._stop = False
        self._time = None
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        text = ""
        while not self._stop:
            text += self._file.read()
            if self._pattern.search(text):
                self._time = time.monotonic()
                self._seen.set()
                return
            time.sleep(0.0005)

    def time(self, timeout=10):
        """The time of the first matching line; waits for it."""
        try:
            if not self._seen.wait(timeout):
                raise Failed(f"the module never wrote {self._pattern.pattern!r}")
            return self._time
        finally:
            self._stop = True
            self._thread.join()
            self._file.close()
