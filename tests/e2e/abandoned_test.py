"""Connects that nobody waits for any more, and addresses that never answer, are in nobody's way."""

import time

from lab import check, equal, module_only, note, run, until, within


def begin_connect(lab, address, port=80):
    begun = lab.socket(timeout=0)
    begun.connect_ex((address, port))
    return begun


def good_connect(lab):
    begin = time.monotonic()
    lab.connect(7000).close()
    return time.monotonic() - begin


@module_only
def one_black_hole(lab):
    """Ten connects to an address that never answers do not keep another program from connecting"""
    lab.serve(7000, lambda c: c.recv(1))
    holes = [begin_connect(lab, lab.HOLE) for _ in range(10)]
    until(lambda: lab.taken() == 2, 5, "two sockets tried on the black hole")
    time.sleep(1)
    equal(lab.taken(), 2, "sockets taken by the black hole: never more than per_destination")
    within(good_connect(lab), 0, 1 + lab.rtt / 1000, "connect to a good address")
    for hole in holes:
        hole.close()
    until(lambda: lab.taken() == 0 and lab.status()["queue"] == 0, 15, "all of it to be forgotten")
    check(True, "all of it is forgotten once the programs gave up")


@module_only
def six_black_holes(lab):
    """Programs that give up on six addresses which never answer free the six sockets"""
    lab.serve(7000, lambda c: c.recv(1))
    holes = [begin_connect(lab, f"203.0.113.{140 + n}") for n in range(6)]
    until(lambda: lab.taken() == 6, 10, "six sockets tried on black holes")
    begin = time.monotonic()
    for hole in holes:
        hole.close()
    seconds = good_connect(lab)
    note(f"connected {time.monotonic() - begin:.1f} s after the programs gave up")
    # The kernel sends nothing when a program gives up: the SYN that does not come back is how one knows.
    within(seconds, 0, 12, "connect to a good address", "s")
    until(lambda: lab.taken() == 0, 15, "all six to be free")
    check(True, "all six are free")


if __name__ == "__main__":
    run(({}, [one_black_hole, six_black_holes]))
