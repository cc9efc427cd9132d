"""Beside the network software of others: each installed and active in turn, port and interface left alone, still online."""

import board
from waiting import Failed


def boot(machine, world):
    """another machine: the package with nothing but what it depends on"""
    machine.start()
    board.install(machine, "qimuxd", recommended=False)
    machine.succeed(board.APN)
    world.adapter = machine.plug(world.module())
    machine.until("test -e /dev/ttyUSB0", 60)


def probed(machine, _):
    """an adapter that is in already: qimuxctl probe prints its line, that is pasted, udev is told: online"""
    found = machine.succeed("qimuxctl probe /dev/ttyUSB0", 120)
    lines = [line.strip() for line in found.splitlines() if "SUBSYSTEM==" in line]
    if len(lines) != 1 or board.SERIAL not in lines[0]:
        raise Failed(f"no line of this adapter's: {found}")
    machine.succeed("cat > /etc/udev/rules.d/60-qimuxd-local.rules << 'END'\n" + lines[0] + "\nEND\n"
                    "udevadm control --reload && udevadm trigger --subsystem-match=tty --action=add")
    board.online(machine)


def no_resolver(machine, _):
    """nobody is in charge of names: a word in the journal, the file untouched, addresses work"""
    machine.succeed("grep -q '^# nobody' /etc/resolv.conf && ! grep 10.64.64 /etc/resolv.conf")
    machine.succeed("journalctl -b -u qimuxd -o cat | grep -iE 'resolv|dns'")
    board.fetch_address(machine)


def beside(machine, world, package, service, leaves_alone):
    """Another program is installed and active; the adapter is plugged again under its eyes."""
    daemon = board.pid(machine)
    heard = world.heard()
    board.install(machine, package, recommended=False)
    machine.succeed(f"systemctl restart {service}")
    machine.until(f"systemctl is-active {service}", 120)
    board.undisturbed(machine, daemon)
    machine.pull(world.adapter)
    machine.until("test ! -e /dev/gsm0", 60)
    world.adapter = machine.plug(world.line)
    machine.until("test -e /dev/gsm0", 60)
    board.online(machine)
    machine.until(leaves_alone, 60)
    board.undisturbed(machine, daemon)
    # What another program asks a modem first. Ours begins with AT and never asks for these.
    foreign = [line for line in world.heard()[len(heard):] if any(word in line for word in ("ATZ", "AT+GCAP", "ATI1", "AT^", "AT$"))]
    if foreign:
        raise Failed(f"somebody else has spoken to the module: {foreign[:3]}")


def modem_manager(machine, world):
    """ModemManager installed and active: it never opens the port"""
    beside(machine, world, "modemmanager", "ModemManager",
           "udevadm info --query=property --name=/dev/gsm0 | grep -x ID_MM_DEVICE_IGNORE=1")
    if "No modems" not in machine.run("mmcli -L").output:
        raise Failed(machine.run("mmcli -L").output)
    machine.succeed("systemctl disable --now ModemManager")


def network_manager(machine, world):
    """NetworkManager installed and active: gsm0 is unmanaged, the link stays"""
    beside(machine, world, "network-manager", "NetworkManager", "nmcli -t -f DEVICE,STATE device | grep -x gsm0:unmanaged")
    machine.succeed("systemctl restart NetworkManager", 120)
    board.fetch_address(machine)
    machine.succeed("systemctl disable --now NetworkManager")


def networkd(machine, world):
    """systemd-networkd active, with a file that takes every interface: gsm0 is unmanaged"""
    machine.succeed(r"printf '[Match]\nName=*\n[Network]\nDHCP=yes\n' > /etc/systemd/network/99-all.network")
    beside(machine, world, "systemd", "systemd-networkd", "networkctl --no-legend list gsm0 | grep unmanaged")
    machine.succeed("systemctl restart systemd-networkd && networkctl reload", 120)
    board.undisturbed(machine, board.pid(machine))


def resolved(machine, world):
    """systemd-resolved in charge: names by the module, also after it was restarted; gone with the daemon"""
    machine.succeed("systemctl disable --now systemd-networkd systemd-networkd.socket; rm /etc/systemd/network/99-all.network")
    board.install(machine, "systemd-resolved")
    machine.succeed("systemctl enable systemd-resolved && systemctl restart systemd-resolved")
    machine.until("timeout 20 resolvectl status", 120)
    machine.succeed("systemctl restart qimuxd")
    board.online(machine)
    machine.until("resolvectl dns gsm0 | grep -F 10.64.64.2", 60)
    board.fetch(machine)
    machine.succeed("systemctl restart systemd-resolved")
    machine.until("timeout 20 resolvectl dns gsm0 | grep -F 10.64.64.2", 60)
    board.fetch(machine)
    machine.succeed("systemctl stop qimuxd")
    board.nothing_left(machine)
    machine.succeed("systemctl start qimuxd")
    board.online(machine)
    board.fetch(machine)


def resolvconf(machine, world):
    """resolvconf in charge instead: names by the module; gone with the daemon"""
    machine.succeed("systemctl stop qimuxd")
    machine.succeed("DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y systemd-resolved; rm -f /etc/resolv.conf; : > /etc/resolv.conf")
    board.install(machine, "resolvconf")
    machine.succeed("systemctl start qimuxd")
    board.online(machine)
    machine.until("grep -F 10.64.64.2 /etc/resolv.conf", 60)
    board.fetch(machine)
    machine.succeed("systemctl stop qimuxd")
    board.nothing_left(machine)


SCENARIOS = [boot, probed, no_resolver, modem_manager, network_manager, networkd, resolved, resolvconf]
