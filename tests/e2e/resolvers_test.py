"""The daemon with Debian's real resolvers: systemd-resolved, resolvconf and openresolv, each in charge in turn."""

import os
import re
import signal
import subprocess
import sys

from lab import Failed, check, equal, isolation, module_only, note, run, until
from lab import lab as laboratory
from lab import resolver

STUB = "../run/systemd/resolve/stub-resolv.conf"
MAIN = "192.0.2.53"  # the name server of the better way out
BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
<allow receive_type="signal"/></policy></busconfig>"""


def start_daemon(lab):
    """As on a machine of its own; what it finds on PATH is what is installed."""
    laboratory.WRAPPER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    lab.start_daemon()
    lab.wait_online()


def end_daemon(lab, sign=signal.SIGTERM):
    daemon, lab.daemon = lab.daemon, None
    with open(f"/proc/{daemon.pid}/task/{daemon.pid}/children") as file:
        os.kill(int(file.read().split()[0]), sign)
    return daemon.wait(30)


def resolvectl(lab, *words):
    ended = lab.gateway.run(["resolvectl", *words], text=True)
    if ended.returncode:
        raise Failed(f"resolvectl {' '.join(words)}: {ended.stderr.strip()}")
    return ended.stdout.strip()


def of_gsm0(lab, what):
    """Its word behind `Link 4 (gsm0): `"""
    return resolvectl(lab, what, "gsm0").partition(": ")[2].strip()


def dig(lab, server, name="one.example.net"):
    return lab.gateway.run(["dig", "+short", "+tries=1", "+time=15", f"@{server}", name], text=True).stdout.strip()


def start_resolved(lab):
    os.makedirs("/run/systemd/resolve", exist_ok=True)
    subprocess.run(["chown", "systemd-resolve:systemd-resolve", "/run/systemd/resolve"], check=True)
    started = lab.start(lab.gateway, "resolved", ["/usr/lib/systemd/systemd-resolved"])
    until(lambda: lab.gateway.run(["resolvectl", "dns"]).returncode == 0, 20, "systemd-resolved")
    return started


def prepare(lab):
    """/etc is a copy, and there is a bus"""
    resolver.own_etc()
    for path, line in (("/etc/passwd", "systemd-resolve:x:64953:64953::/:/usr/sbin/nologin\n"),
                       ("/etc/group", "systemd-resolve:x:64953:\n")):
        with open(path, "r+") as file:
            if "systemd-resolve:" not in file.read():
                file.write(line)
    os.makedirs("/run/dbus")
    with open("/run/bus.conf", "w") as file:
        file.write(BUS)
    lab.bus = subprocess.Popen(lab.gateway.command(["dbus-daemon", "--nofork", "--nopidfile", "--config-file=/run/bus.conf"]))
    until(lambda: os.path.exists("/run/dbus/system_bus_socket"), 10, "the bus")
    lab.start_sim()
    check(True, "there is a bus and a module")


def resolved(lab):
    """systemd-resolved: names are asked through the module while it is the best way out, and only then"""
    resolver.unpacked("systemd-resolved")
    resolver.resolv_conf(link=STUB)
    running = start_resolved(lab)
    start_daemon(lab)
    until(lambda: of_gsm0(lab, "default-route") == "yes", 20, "gsm0 to be asked for names")
    equal(of_gsm0(lab, "dns"), "10.64.64.2", "its name server")
    equal([of_gsm0(lab, what) for what in ("llmnr", "mdns", "dnssec")], ["no", "no", "no"], "llmnr, mdns, dnssec")
    equal(of_gsm0(lab, "domain"), "", "its domains: none is claimed")
    equal(dig(lab, "127.0.0.53"), "198.51.100.1", "one.example.net by the stub in /etc/resolv.conf")
    running.stop()
    start_resolved(lab)
    equal(of_gsm0(lab, "dns"), "10.64.64.2", "its name server, after systemd-resolved has started again")
    lab.gateway.ip("route", "add", "default", "via", lab.APP, "dev", "lan", "metric", "100")
    until(lambda: of_gsm0(lab, "default-route") == "no", 30, "names to stay with the better way out")
    lab.gateway.ip("route", "del", "default", "dev", "lan")
    until(lambda: of_gsm0(lab, "default-route") == "yes", 30, "names to come back with the packets")
    equal(dig(lab, "127.0.0.53", "two.example.net"), "198.51.100.2", "two.example.net by the stub")
    equal(end_daemon(lab), 0, "exit code")
    check("gsm0" not in resolvectl(lab, "dns"), "nothing of gsm0 is left in systemd-resolved")
    note(next(line for line in open(f"{lab.log_dir}/qimuxd.log") if "system dns" in line).strip())


def not_in_charge(lab):
    """systemd-resolved runs, but /etc/resolv.conf is another's: it is not told, and the log says why"""
    resolver.resolv_conf(f"nameserver {MAIN}\n")
    start_resolved(lab)
    start_daemon(lab)
    lab.daemon.wait_line("=> off: systemd-resolved runs, but /etc/resolv.conf does not point at it")
    equal(of_gsm0(lab, "dns"), "", "name servers of gsm0")
    end_daemon(lab)
    resolver.packed_away()


def servers():
    with open("/etc/resolv.conf") as file:
        return re.findall(r"^nameserver (\S+)", file.read(), re.MULTILINE)


def revert(lab, config):
    """By a service whose configuration is this now"""
    with open("/run/now.toml", "w") as file:
        file.write(config)
    argv = [*laboratory.WRAPPER, f"{laboratory.BUILD}/qimuxd", "--system-dns", "revert", "--config", "/run/now.toml"]
    equal(lab.gateway.run(argv, text=True).returncode, 0, "exit code of --system-dns revert")
    equal(servers(), [MAIN], f"servers after it, with {config.split()}")


def in_turn(lab, main):
    """Told behind the main link's server; untold at the end, and after a crash."""
    ended = lab.gateway.run(main, input=f"nameserver {MAIN}\n", text=True)
    equal((ended.returncode, ended.stderr), (0, ""), " ".join(main))
    until(lambda: servers() == [MAIN], 10, f"only the main link's server; it is {servers()}")
    start_daemon(lab)
    until(lambda: servers() == [MAIN, lab.DNS], 20, f"both servers, the main link's first; it is {servers()}")
    equal(end_daemon(lab), 0, "exit code")
    equal(servers(), [MAIN], "servers after the end")
    start_daemon(lab)
    until(lambda: servers() == [MAIN, lab.DNS], 20, "both servers again")
    end_daemon(lab, signal.SIGKILL)
    equal(servers(), [MAIN, lab.DNS], "servers after a crash")
    revert(lab, "")
    start_daemon(lab)
    until(lambda: servers() == [MAIN, lab.DNS], 20, "both servers once more")
    end_daemon(lab, signal.SIGKILL)
    revert(lab, '[dns]\nsystem = "off"\n[tun]\nname = "modem"\n')


def resolvconf(lab):
    """Debian's resolvconf"""
    resolver.unpacked("resolvconf")
    os.makedirs("/run/resolvconf/interface")
    resolver.resolv_conf(link="/run/resolvconf/resolv.conf")
    lab.gateway.run(["resolvconf", "--enable-updates"])
    in_turn(lab, ["resolvconf", "-a", "eth0.test"])
    resolver.packed_away()


def openresolv(lab):
    """openresolv"""
    resolver.unpacked("openresolv")
    resolver.resolv_conf("# Generated by resolvconf\n")
    in_turn(lab, ["resolvconf", "-a", "eth0.test"])
    resolver.packed_away()
    lab.bus.kill()
    lab.bus.wait()


HOSTS = [("one.example.net", "198.51.100.1"), ("two.example.net", "198.51.100.2")]

if __name__ == "__main__":
    isolation.enter()
    if not os.path.isdir(resolver.UNPACKED):
        print("SKIPPED: tests/unpack-packages has not been run", flush=True)
        sys.exit(1 if os.environ.get("CI") == "true" else isolation.SKIPPED)
    run(({"start": False, "hosts": HOSTS}, [module_only(s) for s in (prepare, resolved, not_in_charge, resolvconf, openresolv)]))
