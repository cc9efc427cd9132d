"""What the daemon leaves behind: nothing, and after a crash nothing that is in its way."""

import os
import signal
import time

from lab import Web, check, equal, every_byte, module_only, run, sha256, until, within
from lab.lab import BUILD

PAGE = every_byte(2_000)


def fetch(lab):
    ended = lab.gateway.run(["curl", "-sS", "--max-time", "60", f"http://{lab.SERVER}/"])
    equal(sha256(ended.stdout), sha256(PAGE), "sha256 of a page through the TUN")


def state(lab):
    """Everything in the gateway's network that could be left behind."""
    return {what: lab.gateway.ip(*what.split()) for what in
            ("-o link show", "route show table all", "rule show", "addr show", "-6 route show table all")} | {
                "sysctl": lab.gateway.run(["sysctl", "-a", "--pattern", r"^net\.ipv4\.(conf\.(all|default)|ip_forward)"], text=True).stdout}


def without_addresses_of_time(text):
    """Without what comes and goes by itself: leases, and link-local addresses whose probing ends meanwhile"""
    return [line for line in text.splitlines() if "expires" not in line and "fe80::" not in line]


@module_only
def asked_to_end(lab):
    """After SIGTERM there is no interface, route, rule, symlink or socket, and no setting is changed"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    before = state(lab)
    lab.start_sim()
    lab.start_daemon()
    lab.wait_online()
    check("gsm0" in lab.gateway.ip("link"), "the interface is there")
    fetch(lab)
    begin = time.monotonic()
    equal(lab.stop_daemon(), 0, "exit code after SIGTERM")
    within(time.monotonic() - begin, 0, 7, "it took")
    after = state(lab)
    for what, text in before.items():
        equal(without_addresses_of_time(after[what]), without_addresses_of_time(text), what)
    check(not os.path.exists(lab.CONTROL), "the control socket is gone")
    equal(lab.stop_sim(), 0, "exit code of qimux-sim")
    check(not os.path.lexists(lab.LINK), "the symlink of the simulated tty is gone")


def connected(lab):
    """A connection, open; the list gets what its server reads at its end."""
    ended = []
    lab.serve(7000, lambda c: (c.recv(1), ended.append(c.recv(1))))
    lab.connect(7000).sendall(b"x")
    until(lambda: lab.taken() == 1, 5, "one socket taken")
    return ended


@module_only
def asked_to_end_with_connections(lab):
    """SIGTERM with a connection open: the module's sockets are closed before the daemon is gone"""
    lab.start_sim()
    lab.start_daemon()
    lab.wait_online()
    ended = connected(lab)
    begin = time.monotonic()
    equal(lab.stop_daemon(), 0, "exit code after SIGTERM")
    within(time.monotonic() - begin, 0, 7, "it took")
    until(lambda: ended, 10, "the end at the server")
    check(True, "the server saw the end of the connection")


@module_only
def interface_deleted(lab):
    """Who deletes the interface ends the daemon in order, with an exit code for which systemd starts it anew"""
    lab.start_daemon()
    lab.wait_online()
    ended = connected(lab)
    lab.gateway.ip("link", "del", "gsm0")
    daemon, lab.daemon = lab.daemon, None
    equal(daemon.wait(20), 2, "exit code")
    equal(daemon.log().count("somebody deleted the interface"), 1, "times that it says so")
    until(lambda: ended, 10, "the end at the server")
    check(not os.path.exists(lab.CONTROL), "the control socket is gone")
    lab.start_daemon()
    lab.wait_online()
    check("gsm0" in lab.gateway.ip("link"), "the next one makes the interface anew")
    equal(lab.stop_daemon(), 0, "its exit code after SIGTERM")


@module_only
def killed(lab):
    """After SIGKILL a new daemon is up again, over whatever the old one left"""
    lab.keep(Web(lab, 80, {"/": PAGE}))
    lab.start_daemon()
    lab.wait_online()
    connection = lab.connect(80)
    connection.sendall(b"GET / HTTP")  # a socket of the module that nobody will close
    until(lambda: lab.taken() == 1, 5, "one socket taken")
    equal(lab.daemon.stop(signal.SIGKILL), -signal.SIGKILL, "exit code")
    check(os.path.lexists(lab.CONTROL), "the old control socket is still there")
    lab.start_daemon()
    until(lambda: lab.ctl("--json", "status").returncode == 0, 20, "the new daemon to answer")
    lab.wait_online()
    fetch(lab)
    equal(lab.gateway.ip("-o", "link").count("gsm0"), 1, "interfaces of that name")
    until(lambda: lab.taken() == 0, 45, "the old daemon's socket to be free")
    check(True, "the old daemon's socket on the module is free")


@module_only
def a_second_daemon(lab):
    """A second daemon does not take the first one's place"""
    second = lab.gateway.run([f"{BUILD}/qimuxd", "--config", "/run/qimux-lab/qimuxd.toml"], text=True, timeout=20)
    check(second.returncode in (1, 2), f"exit code of a second one: {second.returncode}, {second.stderr.strip()[-200:]}")
    equal(lab.ctl("wait-online", "--timeout", "5").returncode, 0, "the first one is still online: wait-online")


@module_only
def bad_configuration(lab):
    """--check-config says what is wrong, where, and what it may have meant"""
    path = "/run/qimux-lab/bad.toml"
    with open(path, "w") as file:
        file.write('[serial]\nbuad = 115200\n')
    ended = lab.gateway.run([f"{BUILD}/qimuxd", "--config", path, "--check-config"], text=True)
    equal(ended.returncode, 1, "exit code")
    said = ended.stdout + ended.stderr
    for word in (f"{path}:2", "buad", "baud"):
        check(word in said, f"the message has {word!r}: {said.strip()[-200:]}")


if __name__ == "__main__":
    run(({"start": False}, [asked_to_end, asked_to_end_with_connections, interface_deleted, killed, a_second_daemon, bad_configuration]))
