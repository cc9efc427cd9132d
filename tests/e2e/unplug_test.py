"""The module's tty vanishes and comes back: the interface stays, who waits waits, and nothing is lost for good."""

import json
import os
import threading
import time

from lab import Web, check, equal, module_only, note, pattern, run, sha256, until, within
from lab.curl import Transfer
from lab.figures import figures

PAGE = pattern(20_000)
CYCLES = 50


def interface(lab):
    """What programs and routing daemons see of it: addresses and routes, without what ages or comes later by itself."""
    def told(*what):
        return json.loads(lab.gateway.ip("-j", *what))
    return {"link": [(link["ifindex"], link["ifname"], link["mtu"], link["flags"]) for link in told("link")],
            "addr": [(one["ifname"], sorted((a["local"], a["prefixlen"]) for a in one["addr_info"] if a["family"] == "inet"))
                     for one in told("addr")],
            "route": [one for one in told("route", "show", "table", "all") if not one["dst"].startswith(("fe80:", "ff00:"))]}


def pull(lab):
    """The tty goes, as a USB adapter's does: its other end is closed, and the name with it."""
    os.remove(lab.LINK)
    lab.sim.popen.kill()
    lab.sim.wait()
    lab.sim = None


def wait_unplugged(lab):
    until(lambda: lab.status()["link"] == "no_device", 10, "the daemon to notice")


@module_only
def pulled_and_plugged(lab):
    """The same name again: interface, address and routes are the same, a connect that was made meanwhile succeeds"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    lab.serve(7000, lambda c: c.recv(1))
    before = interface(lab)
    held = figures(lab.daemon)
    open_before = lab.connect(7000)
    pull(lab)
    begin = time.monotonic()
    wait_unplugged(lab)
    open_before.settimeout(5)
    try:
        got = open_before.recv(1)
    except ConnectionResetError:
        got = "reset"
    equal(got, "reset", "what a program gets that was connected")
    within(time.monotonic() - begin, 0, 5, "from the pull to its reset")
    equal(lab.status()["trouble"]["name"], "device_missing", "trouble")
    equal(interface(lab), before, "interface, address and routes while unplugged")
    connected = []
    waiting = threading.Thread(target=lambda: connected.append(lab.connect(7000, timeout=60)))
    waiting.start()
    until(lambda: lab.status()["queue"] == 1, 10, "the connect to wait")
    cpu = lab.daemon.cpu_seconds()
    time.sleep(3)  # what is measured: an interval of nothing
    within(lab.daemon.cpu_seconds() - cpu, 0, 0.05, "processor time of 3 s without a device")
    equal(connected, [], "connects that are done")
    begin = time.monotonic()
    lab.start_sim()
    waiting.join(60)
    equal(len(connected), 1, "connects that are done when it is back")
    note(f"{time.monotonic() - begin:.1f} s from the start of the module to its success")
    lab.wait_online()
    equal(interface(lab), before, "interface, address and routes afterwards")
    page(lab)
    connected[0].close()
    at_rest(lab, held)


@module_only
def under_another_name(lab):
    """The link of the configuration leads to another tty when it is back, as a udev rule makes it"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    before = interface(lab)
    pull(lab)
    wait_unplugged(lab)
    name, lab.LINK = lab.LINK, "/run/qimux-lab/gsm-other"
    if os.path.lexists(name):
        os.remove(name)
    lab.start_sim()
    old = os.readlink(lab.LINK)
    os.symlink(lab.LINK, name)
    lab.wait_online()
    note(f"{name} -> {lab.LINK} -> {old}")
    equal(interface(lab), before, "interface, address and routes")
    page(lab)
    pull(lab)
    wait_unplugged(lab)
    for path in (name, lab.LINK):
        if os.path.lexists(path):
            os.remove(path)
    lab.LINK = name
    lab.start_sim()
    lab.wait_online()
    page(lab)


@module_only
def again_and_again(lab):
    """50 times, with a download, a ping and a connection under way: memory and descriptors stay as they are"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    talk(lab)
    stop = threading.Event()
    pages = []
    clients = [threading.Thread(target=download_for_ever, args=(lab, stop, pages, n)) for n in range(2)]
    for client in clients:
        client.start()
    samples, begin = [], time.monotonic()
    for cycle in range(CYCLES):
        done = len(pages)
        pull(lab)
        lab.start_sim()
        lab.wait_online()
        # Traffic is under way again when the plug is pulled.
        until(lambda: len(pages) > done, 60, "a page through it")
        if cycle % 10 == 9:
            samples.append(figures(lab.daemon))
    took = time.monotonic() - begin
    stop.set()
    for client in clients:
        client.join()
    note(f"{CYCLES} cycles in {took:.0f} s, {took / CYCLES:.2f} s each; {len(pages)} pages, all whole")
    print("    | cycles | resident KiB | descriptors | threads |")
    for number, one in enumerate(samples):
        print(f"    | {10 * (number + 1):6} | {one.resident_kib:12} | {one.descriptors:11} | {one.threads:7} |")
    within(samples[-1].resident_kib - samples[0].resident_kib, -10_000, 512, "growth from the 10th to the 50th", "KiB")
    equal({one.threads for one in samples}, {samples[0].threads}, "threads")
    equal(lab.status()["losses"]["device"] >= CYCLES, True, "each pull is counted")


def download_for_ever(lab, stop, pages, number):
    while not stop.is_set():
        ended = lab.gateway.run(["curl", "-sS", "--max-time", "30", f"http://{lab.SERVER}/"], timeout=60)
        if ended.returncode == 0:
            pages.append(number)
            if sha256(ended.stdout) != sha256(PAGE):
                raise AssertionError("a page that is not the page")
        else:
            stop.wait(0.1)


def page(lab):
    transfer = Transfer(lab, f"http://{lab.SERVER}/")
    equal(transfer.wait(60), 0, "exit code of curl")
    equal(sha256(transfer.content()), sha256(PAGE), "sha256 of the page")


def talk(lab):
    """Everything has been used once: what is made on first use is made."""
    page(lab)


def at_rest(lab, held):
    until(lambda: lab.taken() == 0 and figures(lab.daemon).descriptors == held.descriptors, 60,
          f"{held.descriptors} descriptors, as before (now {figures(lab.daemon).descriptors})")
    check(True, f"{held.descriptors} descriptors before and after, {held.threads} threads")


QUICK = {"baud": 460800, "rtt": 20, "sim": ["--activation-time", "0.05", "--deactivation-time", "0.05", "--ack-lag", "20"],
         "settings": {"sockets": {"half_close_linger": "1s"}}}

if __name__ == "__main__":
    run(({"rtt": 60}, [pulled_and_plugged, under_another_name]), (QUICK, [again_and_again]))
