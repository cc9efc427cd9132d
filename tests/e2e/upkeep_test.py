"""Routes, address and link that another program takes from the interface come back; nobody else's are touched."""

import re
import time

from lab import Web, check, equal, every_byte, module_only, run, sha256, until, within

PAGE = every_byte(2_000)
OURS = r"^default dev gsm0 .*metric 700"
STRANGERS = "default via 192.168.77.2 dev lan metric 900"


def routes(lab):
    return lab.gateway.ip("route", "show", "table", "main")


def has_ours(lab):
    return re.search(OURS, routes(lab), re.MULTILINE)


def fetch(lab):
    ended = lab.gateway.run(["curl", "-sS", "--max-time", "60", f"http://{lab.SERVER}/"])
    equal(sha256(ended.stdout), sha256(PAGE), "sha256 of a page through the TUN")


def said(lab, words):
    return [line for line in lab.daemon.log().splitlines() if words in line]


@module_only
def a_route(lab):
    """A deleted route is put back within seconds, and the journal says so once"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    begin = time.monotonic()
    lab.gateway.ip("route", "del", "default", "dev", "gsm0")
    check(not has_ours(lab), "the route is gone")
    until(lambda: has_ours(lab), 10, "the route to come back")
    within(time.monotonic() - begin, 0.3, 10, "it took")
    fetch(lab)
    equal(len(said(lab, "another program took from gsm0 the route 0.0.0.0/0: put back")), 1, "lines in the journal")


@module_only
def everything(lab):
    """Address flushed and link set down: all comes back, and works"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    lab.gateway.ip("addr", "flush", "dev", "gsm0")
    until(lambda: lab.GATEWAY in lab.gateway.ip("addr", "show", "gsm0") and has_ours(lab), 20, "the address")
    fetch(lab)
    lab.gateway.ip("link", "set", "gsm0", "down")
    until(lambda: has_ours(lab), 20, "the link to be up again with its route")
    fetch(lab)


@module_only
def a_fight(lab):
    """A program that deletes the route all the time is not fought: few attempts, no processor time, loud words"""
    begin, used, deleted, seconds = time.monotonic(), lab.daemon.cpu_seconds(), 0, 25
    while time.monotonic() - begin < seconds:
        if has_ours(lab):
            lab.gateway.ip("route", "del", "default", "dev", "gsm0")
            deleted += 1
        time.sleep(0.05)  # this program's own beat
    check(2 <= deleted <= 7, f"the route was there to be deleted {deleted} times in {seconds} s (allowed 2 to 7)")
    within(lab.daemon.cpu_seconds() - used, 0, 2, "seconds of processor time")
    equal(len(said(lab, "another program keeps taking from gsm0")), 1, "loud lines")
    check(len(said(lab, "another program took from gsm0")) >= 1, "the accident has been told")


@module_only
def strangers(lab):
    """At the end the daemon's routes are gone, and those of others are as they were"""
    lab.gateway.ip("route", "add", *STRANGERS.split())
    lab.gateway.ip("route", "add", "10.99.0.0/16", "dev", "gsm0", "metric", "50")
    lab.stop_daemon()
    left = routes(lab)
    check(STRANGERS in left, f"a stranger's default route is still there: {left!r}")
    check("gsm0" not in left, "nothing of gsm0 is left")


if __name__ == "__main__":
    run(({}, [a_route, everything, a_fight, strangers]))
