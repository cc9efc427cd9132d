"""An upload whose acknowledgements are compared with what the far end has.

What a program was shown as delivered is what it has written less SIOCOUTQ. What the far end has is what its
kernel has received in order (TCP_INFO of the server's socket), which is what a TCP acknowledges. The far end is
looked at first, the program second: a byte that arrives between the two counts against the daemon. So a lie is
never overlooked; and as an acknowledgement needs half a round trip to come back, the truth is never taken for one.
"""

import array
import errno
import fcntl
import select
import socket
import struct
import termios
import threading
import time

from .checks import Failed
from .waiting import until

CHUNK = 1000


def queued(connection):
    """SIOCOUTQ: bytes that the program's kernel takes for not acknowledged."""
    value = array.array("i", [0])
    fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, value)
    return value[0]


def tcp_info(connection):
    data = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    names = {"received": 128, "sent": 200, "retransmitted": 208}
    return {name: struct.unpack_from("=Q", data, at)[0] for name, at in names.items()}


def _control(connection):
    """The same congestion control on every machine, one of the kernel's own two. BBR, which some have instead,
    empties the path every ten seconds to learn its round trip, as it would on any path of that length."""
    for name in (b"cubic", b"reno"):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name)
            return name.decode()
        except OSError:
            continue
    return "the kernel's own"


class Upload:
    def __init__(self, lab, port, data):
        self.data, self.written, self.got = data, 0, 0
        self.worst = self.samples = 0
        self.error = None
        self.server = self.all_at = None
        self._arrived = threading.Event()
        lab.serve(port, self._take)
        self.connection = lab.connect(port)
        self.control = _control(self.connection)
        self.connection.setblocking(False)
        until(lambda: self.server, 20, "the server's end of the connection")
        self.begin = time.monotonic()

    def _take(self, connection):
        # Never closed here: what its kernel has is asked for to the end.
        connection.settimeout(None)
        self.server = connection
        good = True
        while data := connection.recv(65536):
            good = good and data == self.data[self.got:self.got + len(data)]
            self.got += len(data)
            if self.got == len(self.data) and good:
                self.all_at = time.monotonic()
                self._arrived.set()
        if not good:
            self.error = Failed("the server got other bytes than were sent")

    def far_end(self):
        return tcp_info(self.server)["received"]

    def sample(self):
        """Bytes that the program was shown as delivered, and that the far end does not have."""
        far_end = self.far_end()
        shown = self.written - queued(self.connection)
        self.samples += 1
        self.worst = max(self.worst, shown - far_end)

    def step(self):
        """Writes what there is room for, and looks."""
        try:
            while self.written < len(self.data):
                self.written += self.connection.send(self.data[self.written:self.written + CHUNK])
                self.sample()
            readable = select.select([self.connection], [], [], 0)[0]
            if readable and self.connection.recv(1) == b"":
                raise OSError(errno.EPIPE, "the far end has closed")
        except BlockingIOError:
            pass
        except OSError as error:
            self.error = self.error or error
        self.sample()

    def run(self, until_done=True, seconds=120.0):
        """To the end, or to an error, or for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.error:
            self.step()
            if until_done and self.written == len(self.data) and queued(self.connection) == 0:
                return
            time.sleep(0.003)

    def wait_all(self, seconds):
        """Until the server's program has everything; seconds since the begin."""
        if not self._arrived.wait(seconds):
            raise Failed(f"the server has {self.got} of {len(self.data)} bytes after {seconds} s")
        return self.all_at - self.begin
