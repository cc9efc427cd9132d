#!/usr/bin/python3
"""qimuxd.service as it is shipped, under a systemd of the laboratory's own"""

import grp
import os
import pwd
import re
import signal
import sys

if not os.environ.get("QIMUX_SERVICE"):
    os.environ["QIMUX_SERVICE"] = "1"

from lab import config, service
from lab.checks import check, equal, note
from lab.runner import module_only, run
from lab.waiting import until

UNIT = "qimuxd.service"


def process_status(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def write_config(lab, **more):
    with open("/run/qimux-lab/qimuxd.toml", "w") as file:
        file.write(config.toml(config.merged(lab._settings(), more)))


def get(lab, seconds=20):
    """The exit code of curl."""
    return lab.gateway.run(["curl", "-sS", "--max-time", str(seconds), "-o", "/dev/null", f"http://{lab.SERVER}:8080/"],
                           timeout=seconds + 5).returncode


def serve(lab):
    def answer(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.close()
    lab.serve(8080, answer)


def no_rights_to_spare(lab):
    """User qimuxd, one capability, no new privileges, a filter of system calls, and its state says what it does"""
    status = process_status(lab.daemon.pid)
    user = pwd.getpwnam("qimuxd")
    equal(status["Uid"].split()[1], str(user.pw_uid), "user")
    groups = {grp.getgrgid(int(g)).gr_name for g in status["Groups"].split()}
    check({"dialout", "qimux"} <= groups, f"groups: {sorted(groups)}")
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        equal(int(status[kind], 16), 1 << 12, f"{kind}: CAP_NET_ADMIN alone")
    equal(status["NoNewPrivs"], "1", "no new privileges")
    equal(status["Seccomp"], "2", "system calls are filtered")
    state = lab.manager.show(UNIT, "ActiveState", "StatusText", "Type")
    equal(state["ActiveState"], "active", "the unit is")
    equal(state["StatusText"], "Link online", "its status text")


def serves(lab):
    """Names and transfers, through all of it"""
    serve(lab)
    equal(get(lab), 0, "exit code of curl")


def control_is_the_groups(lab):
    """Members of qimux may use qimuxctl, others may not"""
    equal(grp.getgrgid(os.stat(lab.CONTROL).st_gid).gr_name, "qimux", "the socket's group")
    argv = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "qimuxctl", "status"]
    check(lab.gateway.run(argv).returncode != 0, "nobody is refused")
    argv[3] = "--groups=qimux"
    equal(lab.gateway.run(argv).returncode, 0, "nobody in the group qimux: exit code")


def reload(lab):
    """systemctl reload: the policy takes effect, what needs a restart is named, a bad file changes nothing"""
    serve(lab)
    pid = lab.daemon.pid
    idle = lab.connect(8080)
    write_config(lab, policy=[{"action": "deny", "protocol": "tcp", "port": 8080}], serial={"baud": 9600})
    equal(lab.manager.systemctl("reload", UNIT).returncode, 0, "exit code of systemctl reload")
    lab.daemon.wait_line(r"^notice: reload: policy$")
    lab.daemon.wait_line(r"^warning: reload: serial\.baud: needs a restart$")
    check(get(lab) != 0, "what the new policy forbids is refused")
    idle.sendall(b"GET / HTTP/1.0\r\n\r\n")
    check(idle.recv(100).startswith(b"HTTP/1.0 200"), "what was open goes on")
    with open("/run/qimux-lab/qimuxd.toml", "a") as file:
        file.write("[serial]\nbuad = 1\n")
    equal(lab.manager.systemctl("reload", UNIT).returncode, 0, "exit code of systemctl reload with a bad file")
    lab.daemon.wait_line(r"^error: reload: /run/qimux-lab/qimuxd.toml:\d+: ")
    check(get(lab) != 0, "the policy is as it was")
    write_config(lab)
    lab.manager.systemctl("reload", UNIT)
    until(lambda: lab.daemon.log().count("notice: reload: policy\n") == 2, 10, "the first file again")
    equal(get(lab), 0, "back to the first file: exit code of curl")
    equal(lab.daemon.pid, pid, "all of it in one process")
    equal(lab.manager.show(UNIT, "ActiveState")["ActiveState"], "active", "the unit is")


def journal(lab):
    """Entries have their level and their fields"""
    online = lab.manager.journal("LINK_STATE=online", f"_SYSTEMD_UNIT={UNIT}")
    check(bool(online), "LINK_STATE=online is found by its field")
    equal(online[0]["SYSLOG_IDENTIFIER"], "qimuxd", "identifier")
    equal({e["PRIORITY"] for e in online} <= {"5", "6"}, True, "as notice and info")
    lab.fault("pdp-deact")
    lab.daemon.wait_line("recovery: reactivate: done")
    steps = lab.manager.journal("RECOVERY_STEP=reactivate")
    check(len(steps) >= 2, f"{len(steps)} entries of RECOVERY_STEP=reactivate")
    lab.wait_online()
    for entry in lab.manager.journal(f"_SYSTEMD_UNIT={UNIT}", "--priority=warning"):
        note(f"{entry['PRIORITY']} {entry['MESSAGE']}")


def unplugged(lab):
    """The unit lives through it, and its status text has the sentence that helps"""
    pid = lab.daemon.pid
    lab.stop_sim()
    until(lambda: "Link no_device: " in lab.manager.show(UNIT, "StatusText")["StatusText"], 20, "the trouble in the status text")
    note(lab.manager.show(UNIT, "StatusText")["StatusText"])
    equal(lab.manager.show(UNIT, "ActiveState")["ActiveState"], "active", "the unit is")
    lab.start_sim()
    lab.wait_online()
    equal(lab.daemon.pid, pid, "the same process")


def wait_online(lab):
    """qimuxd-wait-online.service holds network-online.target until there is a link"""
    waiting = "qimuxd-wait-online.service"
    lab.stop_sim()
    until(lambda: lab.status()["link"] == "no_device", 20, "the loss of the device")
    equal(lab.manager.systemctl("start", "--no-block", waiting).returncode, 0, "exit code of systemctl start")
    until(lambda: lab.manager.show(waiting, "ActiveState")["ActiveState"] == "activating", 10, "it to wait")
    lab.start_sim()
    until(lambda: lab.manager.show(waiting, "ActiveState")["ActiveState"] == "active", 30, "it to be content")
    equal(lab.status()["link"], "online", "the link is")
    equal(lab.manager.systemctl("stop", waiting).returncode, 0, "exit code of systemctl stop")


def children(lab):
    """A hook runs in the sandbox: it may change routes and drop a file in the state directory, and not more"""
    hook, out = "/run/qimux-lab/hook", "/var/lib/qimuxd/hook"
    # Everybody may open it, but for the unit's list of devices: /dev/loop-control.
    os.mknod("/run/qimux-lab/device", 0o020666, os.makedev(10, 237))
    os.chmod("/run/qimux-lab/device", 0o666)
    with open("/run/qimux-lab/device", "rb"):
        pass
    with open(hook, "w") as script:
        script.write("#!/bin/bash\nip route replace unreachable 192.0.2.0/24 && routes=yes\n"
                     "touch /etc/qimuxd-was-here && etc=yes\n"
                     "echo 1 > /proc/sys/net/ipv4/ip_forward && sys=yes\n"
                     "unshare --mount true && mounts=yes\n"
                     "true < /run/qimux-lab/device && devices=yes\n"
                     f"echo hello > /dev/udp/{lab.APP}/9 && traffic=yes\n"
                     f"echo $QIMUX_EVENT $(id -un) ${{routes-no}} ${{etc-no}} ${{sys-no}} ${{mounts-no}} ${{devices-no}} ${{traffic-no}} > {out}\n")
    os.chmod(hook, 0o755)
    write_config(lab, hooks={"on_up": hook})
    equal(lab.manager.systemctl("reload", UNIT).returncode, 0, "exit code of systemctl reload")
    lab.daemon.wait_line("^notice: reload: hooks.on_up$")
    lab.fault("pdp-deact")
    until(lambda: os.path.exists(out) and open(out).read().strip(), 30, "the hook")
    equal(open(out).read().split(), ["up", "qimuxd", "yes", *["no"] * 5],
          "event, user, routes, /etc, /proc/sys, mounts, devices, traffic")
    check("unreachable 192.0.2.0/24" in lab.gateway.ip("route"), "the route is there")
    lab.gateway.ip("route", "del", "unreachable", "192.0.2.0/24")
    os.remove(out)
    lab.wait_online()


def resolver(lab):
    """Root tells the resolver at the start, and looks again when another way out is the best"""
    def said(unit):
        return [e["MESSAGE"] for e in lab.manager.journal(f"_SYSTEMD_UNIT={unit}") if e["MESSAGE"].startswith("system dns: ")]
    before = len(said(UNIT))
    check(before > 0, f"at the start: {said(UNIT)}")
    # A way out that is better than the module's, and its end.
    lab.gateway.ip("route", "add", "default", "via", lab.APP, "metric", "5")
    until(lambda: said("qimuxd-system-dns.service"), 30, "root to look again")
    note(said("qimuxd-system-dns.service")[0])
    lab.gateway.ip("route", "del", "default", "metric", "5")


def asked_to_stop(lab):
    """systemctl stop ends with success and leaves nothing"""
    equal(lab.manager.systemctl("stop", UNIT).returncode, 0, "exit code of systemctl stop")
    equal(lab.manager.show(UNIT, "ActiveState", "Result"), {"ActiveState": "inactive", "Result": "success"}, "the unit is")
    check(not os.path.lexists(lab.CONTROL), "the control socket is gone")
    check("gsm0" not in lab.gateway.ip("-o", "link"), "the interface is gone")
    lab.start_daemon()
    lab.wait_online()


def stands_up_again(lab):
    """Killed, or without its interface, it is started again; the watchdog does the same for one that hangs"""
    lab.manager.drop_in(UNIT, "20-test", "[Service]\nRestart=on-failure\nRestartSec=100ms\nWatchdogSec=2s\n")
    lab.manager.systemctl("restart", UNIT)
    lab.wait_online()
    for harm, result in ((lambda: os.kill(before, signal.SIGKILL), "signal"),
                         (lambda: os.kill(before, signal.SIGSTOP), "watchdog"),
                         (lambda: lab.gateway.ip("link", "del", "gsm0"), "exit-code")):
        before = lab.daemon.pid
        harm()
        until(lambda: lab.daemon.pid not in (None, before), 30, "another process")
        lab.wait_online()
        said = "\n".join(e["MESSAGE"] for e in lab.manager.journal("UNIT=" + UNIT))
        check(f"Failed with result '{result}'" in said, f"systemd says why: {result}")
    os.remove(f"{service.UNITS}/{UNIT}.d/20-test.conf")
    lab.manager.reload()


def bad_file(lab):
    """A configuration that cannot be is not tried again, and the journal has the line"""
    lab.manager.systemctl("stop", UNIT)
    lab.manager.drop_in(UNIT, "20-test", "[Service]\nRestart=on-failure\nRestartSec=100ms\n")
    with open("/run/qimux-lab/qimuxd.toml", "w") as file:
        file.write("[serial]\nbuad = 9600\n")
    check(lab.manager.systemctl("start", UNIT).returncode != 0, "systemctl start fails")
    state = lab.manager.show(UNIT, "ActiveState", "ExecMainStatus", "NRestarts")
    equal(state, {"ActiveState": "failed", "ExecMainStatus": "1", "NRestarts": "0"}, "the unit is")
    entries = [e for e in lab.manager.journal(f"_SYSTEMD_UNIT={UNIT}", "--priority=err") if "buad" in e["MESSAGE"]]
    check(bool(entries), "an error in the journal has file, line and key")
    check(re.search(r"qimuxd\.toml:2: .*buad", entries[0]["MESSAGE"]) is not None, entries[0]["MESSAGE"])
    os.remove(f"{service.UNITS}/{UNIT}.d/20-test.conf")
    write_config(lab)
    lab.start_daemon()
    lab.wait_online()


if __name__ == "__main__":
    reason = service.why_not()
    if reason:
        print(f"SKIPPED: {reason}", flush=True)
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    # All of them are about the unit: without a module there is none.
    run(({"log_level": "info"}, [module_only(scenario) for scenario in (
        no_rights_to_spare, serves, control_is_the_groups, reload, journal, unplugged, wait_online, children, resolver,
        asked_to_stop, stands_up_again, bad_file)]))
