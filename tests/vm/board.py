"""What the scenarios do at the machine, as its administrator does."""

import json
import time

from waiting import Failed
from world import ADDRESS, LARGE, NAME, PAGE, digest

SERIAL = "QMX00017"
APN = """sed -i 's/^apn = ""/apn = "internet"/' /etc/qimuxd/qimuxd.toml"""
# As the package's example has it for an FTDI adapter.
RULE = (f"""echo 'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="0403", ATTRS{{idProduct}}=="6001", ATTRS{{serial}}=="{SERIAL}", ENV{{QIMUX}}="gsm0"' """
        "> /etc/udev/rules.d/60-qimuxd-local.rules")


def install(machine, *packages, recommended=True):
    options = "" if recommended else "--no-install-recommends"
    machine.succeed(f"DEBIAN_FRONTEND=noninteractive apt-get -qq install -y {options} {' '.join(packages)}", 600)


def online(machine, limit=150):
    """Until the link is online; the seconds that took."""
    begin = time.monotonic()
    machine.until("qimuxctl wait-online --timeout 5", limit, "online")
    return time.monotonic() - begin


def fetch(machine):
    """A page by its name, as anybody would."""
    page = machine.succeed(f"curl -sS --max-time 90 http://{NAME}/", 100)
    if page.encode() + b"\n" != PAGE:
        raise Failed(f"that is not the page: {page[:200]}")


def fetch_address(machine):
    """The same by its address, where nobody has told the machine of a name server."""
    machine.succeed(f"curl -sS --max-time 90 http://{ADDRESS}/ | grep Hello", 100)


def undisturbed(machine, daemon):
    """Online by the same daemon, and the interface as that has made it."""
    if pid(machine) != daemon:
        raise Failed("the daemon had to be started again")
    status = machine.succeed("qimuxctl --json status")
    if json.loads(status)["link"] != "online":
        raise Failed(f"not online: {status[:500]}")
    machine.succeed("ip -4 -o address show dev gsm0 | grep -F 10.64.64.1/30 && ip route show default | grep 'dev gsm0'")
    others = machine.succeed("ip -o address show dev gsm0 scope global | grep -vF 10.64.64.1/30; true")
    if others:
        raise Failed(f"somebody has given gsm0 an address: {others}")
    fetch_address(machine)


def fetch_large(machine, arguments=""):
    got = machine.succeed(f"curl -sS --max-time 300 {arguments} -o /tmp/large http://{NAME}/large && sha256sum < /tmp/large", 320)
    if digest(LARGE) not in got:
        raise Failed(f"not the bytes that were sent: {got}")


def pid(machine, unit="qimuxd"):
    return machine.succeed(f"systemctl show -P MainPID {unit}")


def nothing_left(machine):
    """No interface, route, process, socket or name server of the daemon."""
    for what, command in (("interface", "ip -o link show | grep -E 'gsm|qimux'"), ("route", "ip route show table all | grep gsm"),
                          ("process", "pgrep -a qimuxd"), ("socket", "ls /run/qimuxd/*.sock 2> /dev/null"),
                          ("namespace", "lsns -n -t net -o COMMAND 2> /dev/null | grep qimux"),
                          ("name server", "grep 10.64.64 /etc/resolv.conf 2> /dev/null; resolvectl dns 2> /dev/null | grep 10.64.64")):
        answer = machine.run(command)
        if answer.output:
            raise Failed(f"the {what} is left: {answer.output}")
