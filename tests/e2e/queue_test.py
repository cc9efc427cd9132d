"""A connect that waits in vain for one of the six sockets is told so before its program gives up by itself."""

import errno
import time

from lab import equal, module_only, run, until, within

WAIT = 115  # under the 120 s after which a connection tracker forgets a SYN, and the kernel's own 127 s


@module_only
def waits_115_seconds(lab):
    """EHOSTUNREACH after 115 s in the queue"""
    lab.serve(7000, lambda c: c.recv(1))
    held = [lab.connect(7000) for _ in range(6)]
    equal(len(held), 6, "sockets taken")
    seventh = lab.socket(timeout=None)
    begin = time.monotonic()
    error = seventh.connect_ex((lab.SERVER, 7000))
    equal(errno.errorcode.get(error), "EHOSTUNREACH", "the seventh connect")
    within(time.monotonic() - begin, WAIT - 2, WAIT + 2, "waited")
    until(lambda: lab.status()["queue"] == 0, 5, "an empty queue")
    equal(lab.taken(), 6, "the six are still connected")


if __name__ == "__main__":
    run(({"baud": 921600, "rtt": 0}, [waits_115_seconds]))
