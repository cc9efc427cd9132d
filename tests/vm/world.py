"""What is outside of the machine: an internet with a web server, and the module's radio. Lives in a network namespace of
the test (tests/vm/vm makes it), so no address here is one of this host."""

import hashlib
import http.server
import os
import subprocess
import threading

from waiting import until

ADDRESS = "198.51.100.1"
NAME = "hello.example.net"
PAGE = b"Hello! These bytes came through a module, an adapter, and udev's hands.\n"
LARGE = bytes(i * 7 % 251 for i in range(300_000))


class Page(http.server.BaseHTTPRequestHandler):
    """/ is a short page, /large takes a while, and a part of it can be asked for."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, begin = (LARGE if self.path == "/large" else PAGE), 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            begin = int(asked[6:].split("-")[0])
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.server.requests.append(f"{self.path} {asked}".strip())
        try:
            self.wfile.write(body[begin:])
        except OSError:
            pass  # pulled

    def log_message(self, *_):
        pass


class World:
    def __init__(self, programs, directory, rate=0):
        os.makedirs(directory, exist_ok=True)
        self.programs, self.directory, self.rate = programs, directory, rate
        self.sims = {}

    def __enter__(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True)
        self.server = http.server.ThreadingHTTPServer((ADDRESS, 80), Page)
        self.server.daemon_threads = True
        self.server.requests = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        for name in list(self.sims):
            self.remove_module(name)

    def module(self, name="sim", *arguments):
        """A module, up and registered; the path of its serial line."""
        line = os.path.join(self.directory, f"{name}.line")
        if os.path.exists(line):
            os.unlink(line)
        log = open(os.path.join(self.directory, f"{name}.log"), "w")
        self.sims[name] = subprocess.Popen(
            [os.path.join(self.programs, "qimux-sim"), "--listen", f"unix:{line}", "--baud", "115200", "--rtt", "200",
             "--host", f"{NAME}={ADDRESS}", "--transcript", os.path.join(self.directory, f"{name}.transcript"), *arguments],
            stdout=log, stderr=subprocess.STDOUT)
        until(lambda: os.path.exists(line), 10, "the simulated module listens")
        self.line = line
        return line

    def heard(self, name="sim"):
        """What the module has got, a line a command."""
        with open(os.path.join(self.directory, f"{name}.transcript"), errors="replace") as file:
            return file.read().splitlines()

    def remove_module(self, name="sim"):
        sim = self.sims.pop(name)
        sim.terminate()
        sim.wait(10)


def digest(data):
    return hashlib.sha256(data).hexdigest()
