"""systemd-networkd with a file for every interface leaves the daemon's alone, because of the one that is shipped."""

import os
import shutil
import sys

from lab import check, equal, isolation, module_only, networkd, run, until

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
LINKS = "/run/systemd/netif/links"
# What an administrator has who wants networkd to do everything.
CATCH_ALL = "[Match]\nName=!lan\n[Network]\nLinkLocalAddressing=no\nAddress=192.0.2.9/24\n"


def states(lab):
    """{interface: networkd's word about it}"""
    out = {}
    for line in lab.gateway.ip("-o", "link").splitlines():
        index, name = line.split(": ")[:2]
        path = f"{LINKS}/{index}"
        if os.path.exists(path):
            with open(path) as file:
                out[name.split("@")[0]] = dict(pair.strip().split("=", 1) for pair in file if "=" in pair).get("ADMIN_STATE")
    return out


def ours(lab):
    return lab.gateway.ip("-o", "addr", "show", "dev", "gsm0").split("inet ")[1:], lab.gateway.ip("route", "show", "dev", "gsm0")


def left_alone(lab):
    """The interface is unmanaged, its address and routes are as they were, also when networkd starts again"""
    os.makedirs(networkd.NETWORKS)
    shutil.copy(os.path.join(SOURCE, "network/10-qimuxd.network"), networkd.NETWORKS)
    with open(f"{networkd.NETWORKS}/50-all.network", "w") as file:
        file.write(CATCH_ALL)
    lab.gateway.ip("tuntap", "add", "other0", "mode", "tun")
    before = ours(lab)
    for attempt in ("started", "started again"):
        running = networkd.start(lab)
        until(lambda: states(lab).get("other0") in ("configuring", "configured"), 20, "networkd to take the other TUN")
        equal(states(lab).get("gsm0"), "unmanaged", f"gsm0 when networkd has {attempt}")
        equal(ours(lab), before, "its address and routes")
        running.stop()
    equal(ours(lab), before, "its address and routes, when networkd has ended")


def without_the_file(lab):
    """Without the file networkd does take it: so it is the file that helps"""
    os.remove(f"{networkd.NETWORKS}/10-qimuxd.network")
    networkd.start(lab)
    until(lambda: states(lab).get("gsm0") in ("configuring", "configured"), 20, "networkd to take gsm0")
    check(True, "networkd has taken gsm0")


if __name__ == "__main__":
    isolation.enter()
    if not os.path.exists(networkd.PROGRAM):
        print("SKIPPED: no systemd-networkd", flush=True)
        sys.exit(1 if os.environ.get("CI") == "true" else isolation.SKIPPED)
    run(({}, [module_only(left_alone), module_only(without_the_file)]))
