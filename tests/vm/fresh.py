"""A fresh Debian 12: from installation to a working curl, then what happens to a board in the field, to the purge."""

import time

import board
from waiting import Failed


def boot(machine, world):
    """a fresh Debian 12 boots, with no trace of us"""
    machine.start()
    world.module()
    board.nothing_left(machine)


def three_steps(machine, world):
    """install the package, write the APN and the adapter's line, plug: curl works"""
    begin = time.monotonic()
    board.install(machine, "qimuxd")
    installed = time.monotonic()
    machine.succeed(board.APN)
    machine.succeed(board.RULE)
    world.adapter = machine.plug(world.line)
    board.online(machine)
    up = time.monotonic()
    board.fetch(machine)
    return (f"installed in {installed - begin:.0f} s, online {up - installed:.0f} s after the plug, "
            f"page after {time.monotonic() - up:.0f} s")


def names(machine, _):
    """/dev/gsm0 is the adapter, the interface and its routes are there"""
    machine.succeed("test /dev/gsm0 -ef /dev/ttyUSB0")
    machine.succeed("ip -4 -o address show dev gsm0 | grep -F 10.64.64.1/30")
    machine.succeed("ip route show default | grep -E 'dev gsm0.* metric 700'")
    user = machine.succeed("ps -o user= -p $(systemctl show -P MainPID qimuxd)").strip()
    if user != "qimuxd":
        raise Failed(f"the daemon runs as {user}")


def large(machine, _):
    """a transfer of 300 kB, every byte"""
    begin = time.monotonic()
    board.fetch_large(machine)
    return f"{300_000 / (time.monotonic() - begin):.0f} bytes/s"


def pulled(machine, world):
    """the plug is pulled in mid-transfer: curl gets an error, interface and routes stay"""
    machine.succeed("systemd-run --quiet --unit=large --property=Type=exec --remain-after-exit "
                    "curl -sS --max-time 300 -o /tmp/part http://hello.example.net/large")
    machine.until("test $(stat -c %s /tmp/part) -gt 50000", 120, "50 kB have come")
    machine.pull(world.adapter)
    begin = time.monotonic()
    machine.until("systemctl show -P SubState large | grep -vx running", 120, "curl ends")
    code = machine.succeed("systemctl show -P ExecMainStatus large")
    if code in ("0", "28"):
        raise Failed(f"curl ended with {code}")
    machine.succeed("ip -4 -o address show dev gsm0 | grep -F 10.64.64.1/30 && ip route show default | grep 'dev gsm0'")
    machine.until("qimuxctl --json status | grep -q device_missing", 60, "the status says what is wrong")
    return f"curl ended with {code} after {time.monotonic() - begin:.0f} s"


def other_port(machine, world):
    """plugged into another port: online by itself, and curl goes on where it was"""
    daemon = board.pid(machine)
    world.adapter = machine.plug(world.line, port=2)
    seconds = board.online(machine)
    machine.succeed("test -e /dev/gsm0")
    size = machine.succeed("stat -c %s /tmp/part")
    board.fetch_large(machine, "-C - -o /tmp/part")
    if board.pid(machine) != daemon:
        raise Failed("that was another daemon")
    return f"online after {seconds:.0f} s; {size} bytes were there already"


def killed(machine, _):
    """SIGKILL: systemd starts it again, and it is online"""
    daemon = board.pid(machine)
    machine.succeed("systemctl kill --signal=KILL qimuxd")
    machine.until(f"p=$(systemctl show -P MainPID qimuxd); test $p != 0 -a $p != {daemon}", 60, "another daemon")
    seconds = board.online(machine)
    board.fetch(machine)
    return f"online after {seconds:.0f} s"


def reboot(machine, _):
    """a reboot with the adapter plugged: online without a hand"""
    begin = time.monotonic()
    machine.reboot()
    booted = time.monotonic()
    board.online(machine)
    board.fetch(machine)
    return f"booted in {booted - begin:.0f} s, page {time.monotonic() - booted:.0f} s later"


def stop(machine, _):
    """systemctl stop leaves nothing: no interface, route, process, socket, name server"""
    machine.succeed("systemctl stop qimuxd")
    board.nothing_left(machine)
    machine.succeed("systemctl is-failed qimuxd && exit 1 || true")
    machine.succeed("systemctl start qimuxd")
    board.online(machine)
    board.fetch(machine)


def exposure(machine, _):
    """systemd-analyze security: 2.0 at most, of the running service"""
    machine.succeed("systemd-analyze security --threshold=20 --no-pager qimuxd.service")
    return machine.succeed("systemd-analyze security --no-pager qimuxd.service | tail -n 1").replace("→", "").strip()


def upgraded(machine, _):
    """the package comes again, as an upgrade: a daemon that runs is restarted, one that is stopped stays so, apt waits for no coverage"""
    machine.succeed("systemctl enable --now qimuxd-wait-online", 200)
    daemon = board.pid(machine)
    again = "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --reinstall qimuxd"
    machine.succeed(again, 300)
    if board.pid(machine) in ("0", daemon):
        raise Failed("the daemon was not restarted")
    seconds = board.online(machine)
    board.fetch(machine)
    machine.succeed("systemctl disable --now qimuxd-wait-online; systemctl stop qimuxd")
    machine.succeed(again, 300)
    if board.pid(machine) != "0":
        raise Failed("a daemon that was stopped is started")
    machine.succeed("systemctl start qimuxd")
    board.online(machine)
    return f"online {seconds:.0f} s after apt's end"


def purge(machine, world):
    """apt-get purge while it is online: stopped, and nothing of it is left"""
    machine.succeed("DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y qimuxd", 300)
    board.nothing_left(machine)
    left = machine.run("ls -d /etc/qimuxd /var/lib/qimuxd /run/qimuxd /usr/sbin/qimuxd /lib/udev/rules.d/*qimux* "
                       "/etc/systemd/system/*/qimux* 2> /dev/null").output
    if left:
        raise Failed(f"left behind: {left}")


SCENARIOS = [boot, three_steps, names, large, pulled, other_port, killed, reboot, exposure, stop, upgraded, purge]
