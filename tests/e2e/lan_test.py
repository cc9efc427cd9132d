"""A LAN host behind the machine uses the module as the machine itself does, with the files of examples/lan."""

import errno
import os
import shutil
import socket
import threading

from lab import Web, check, equal, every_byte, module_only, networkd, note, protocol_text, run, sha256, until
from lab.namespaces import Namespace
from lab.process import wait_listening

EXAMPLE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../examples/lan"))
LEASE = "/run/qimux-lab/lease"

CONTENT = {"/0": every_byte(8_000), "/1": protocol_text(8_000)}


def take_away(lab):
    """What the laboratory has set up for its LAN by itself, or a scenario before."""
    lab.gateway.sysctl("net.ipv4.ip_forward", "0")
    lab.app.ip("addr", "flush", "dev", "eth0")
    if os.path.exists(LEASE):
        os.remove(LEASE)


def plug_in(lab):
    """What a DHCP client does on the LAN host; what it was told is returned."""
    script = "/run/qimux-lab/udhcpc-script"
    with open(script, "w") as file:
        file.write(f"#!/bin/sh\n[ \"$1\" = bound ] && echo \"$ip $mask $router $dns\" > {LEASE}\nexit 0\n")
    os.chmod(script, 0o755)
    ended = lab.app.run(["busybox", "udhcpc", "-f", "-q", "-n", "-t", "10", "-i", "eth0", "-s", script], text=True)
    check(ended.returncode == 0 and os.path.exists(LEASE), f"a lease: {ended.stderr.strip()[-100:]}")
    with open(LEASE) as file:
        address, mask, router, dns = file.read().split()
    lab.app.ip("addr", "add", f"{address}/{mask}", "dev", "eth0")
    lab.app.ip("route", "add", "default", "via", router)
    lab.APP = address
    note(f"the LAN host is {address}/{mask}, its gateway {router}, its name server {dns}")
    return address, router, dns


def by_dnsmasq(lab):
    """sysctl, nftables and dnsmasq as the example has them: the LAN host is told all it needs"""
    take_away(lab)
    for argv in (["sysctl", "-q", "-p", f"{EXAMPLE}/90-qimuxd-lan.conf"], ["nft", "-f", f"{EXAMPLE}/qimuxd-lan.nft"],
                 ["nft", "-f", f"{EXAMPLE}/qimuxd-lan.nft"]):  # twice: it may be loaded again
        ended = lab.gateway.run(argv, text=True)
        equal((ended.returncode, ended.stderr), (0, ""), " ".join(argv[:2]))
    os.makedirs("/run/dnsmasq", exist_ok=True)
    lab.start(lab.gateway, "dnsmasq", ["dnsmasq", "-k", "--user=root", f"--conf-file={EXAMPLE}/dnsmasq.conf",
                                       "--dhcp-leasefile=/run/dnsmasq/leases", "--pid-file=/run/dnsmasq/pid"])
    wait_listening(lab.gateway, 53, "udp")
    address, router, dns = plug_in(lab)
    check(address.startswith("192.168.77."), "an address of the LAN")
    equal((router, dns), ("192.168.77.1", "192.168.77.1"), "gateway and name server")
    ended = lab.app.run(["dig", "+short", "+tries=1", "+time=20", f"@{dns}", "one.example.net"], text=True)
    equal(ended.stdout.strip(), "198.51.100.1", "answer of the board's cache")


def only_the_lan(lab):
    """Another network of the board does not spend what the module costs"""
    guest = Namespace("guest")
    try:
        lab.gateway.ip("link", "add", "guests", "type", "veth", "peer", "name", "eth0", "netns", "guest")
        lab.gateway.ip("addr", "add", "192.168.78.1/24", "dev", "guests")
        lab.gateway.ip("link", "set", "guests", "up")
        guest.ip("addr", "add", "192.168.78.2/24", "dev", "eth0")
        guest.ip("link", "set", "eth0", "up")
        guest.ip("route", "add", "default", "via", "192.168.78.1")
        stranger = guest.socket(timeout=3)
        lab.keep(stranger)
        try:
            stranger.connect((lab.SERVER, 80))
            outcome = "connected"
        except OSError as error:
            outcome = "timed out" if isinstance(error, TimeoutError) else errno.errorcode[error.errno]
        equal(outcome, "timed out", "a connect from the guests' network")
        ended = lab.gateway.run(["nft", "list", "table", "inet", "qimuxd_lan"], text=True)
        check('oifname "gsm0" counter packets 0 ' not in ended.stdout, "the rule has counted it")
    finally:
        guest.remove()


@module_only
def by_networkd(lab):
    """systemd-networkd as the example has it: the board's address on the LAN, forwarding, and the same for the LAN host"""
    take_away(lab)
    lab.gateway.ip("addr", "flush", "dev", "lan")
    os.makedirs(networkd.NETWORKS, exist_ok=True)
    shutil.copy(f"{EXAMPLE}/20-qimuxd-lan.network", networkd.NETWORKS)
    networkd.start(lab)
    until(lambda: "192.168.77.1/24" in lab.gateway.ip("addr", "show", "lan"), 20, "the board's address on the LAN")
    _, router, dns = plug_in(lab)
    equal((router, dns), ("192.168.77.1", lab.DNS), "gateway and name server")
    lab.keep(Web(lab, 80, CONTENT))
    ended = lab.app.run(["curl", "-sS", "--max-time", "60", "--resolve", f"one.example.net:80:{lab.SERVER}",
                         "http://one.example.net/0"])
    equal(sha256(ended.stdout), sha256(CONTENT["/0"]), "sha256 of a page on the LAN host")
    ended = lab.app.run(["dig", "+short", "+tries=1", "+time=20", f"@{dns}", "one.example.net"], text=True)
    equal(ended.stdout.strip(), "198.51.100.1", "answer of the daemon")


def download(lab):
    """curl from the LAN, while the machine itself downloads too"""
    lab.keep(Web(lab, 80, CONTENT))
    got = {}

    def fetch(namespace, path):
        got[path] = namespace.run(["curl", "-sS", "--max-time", "60", f"http://{lab.SERVER}{path}"]).stdout
    threads = [threading.Thread(target=fetch, args=pair) for pair in ((lab.app, "/0"), (lab.gateway, "/1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for path, content in CONTENT.items():
        equal(sha256(got[path]), sha256(content), f"sha256 of {len(content)} bytes of {path}")


def same_ports(lab):
    """A LAN host and the machine may use the same source port to the same server"""
    lab.serve(7000, lambda c: c.sendall(c.recv(100)))
    programs = []
    for namespace, address in ((lab.app, lab.APP), (lab.gateway, lab.GATEWAY)):
        program = lab.socket(namespace=namespace)
        program.bind((address, 45_000))
        program.connect((lab.SERVER, 7000))
        programs.append(program)
    for number, program in enumerate(programs):
        program.sendall(b"%d" % number)
    equal([p.recv(10) for p in programs], [b"0", b"1"], "echoes")


def refused(lab):
    """ECONNREFUSED reaches the LAN"""
    equal(errno.errorcode.get(lab.socket(namespace=lab.app).connect_ex((lab.SERVER, 4444))), "ECONNREFUSED", "connect")


@module_only
def unreachable(lab):
    """EHOSTUNREACH reaches the LAN"""
    equal(errno.errorcode.get(lab.socket(namespace=lab.app).connect_ex((lab.HOLE, 80))), "EHOSTUNREACH", "connect")


def datagrams(lab):
    """UDP from the LAN"""
    echo = lab.socket(socket.SOCK_DGRAM, lab.internet)
    echo.bind((lab.SERVER, 9000))
    program = lab.socket(socket.SOCK_DGRAM, lab.app)
    program.connect((lab.SERVER, 9000))
    program.send(every_byte(1460))
    data, peer = echo.recvfrom(2000)
    equal(sha256(data), sha256(every_byte(1460)), "sha256 of 1460 bytes at the server")
    echo.sendto(data[::-1], peer)
    equal(sha256(program.recv(2000)), sha256(data[::-1]), "sha256 of the answer")


def names(lab):
    """dig from the LAN"""
    ended = lab.app.run(["dig", "+short", "+tries=1", "+time=20", f"@{lab.DNS}", "one.example.net"], text=True)
    equal(ended.stdout.strip(), "198.51.100.1", "answer")


def echoes(lab):
    """ping from the LAN"""
    ended = lab.app.run(["ping", "-n", "-c", "1", "-W", "10", lab.SERVER], text=True)
    check(" 1 received" in ended.stdout, "1 received")


OPTIONS = {"hosts": [("one.example.net", "198.51.100.1")], "settings": {"sockets": {"connect_timeout": "5s"}}}

if __name__ == "__main__":
    run((OPTIONS, [by_dnsmasq, only_the_lan, download, same_ports, refused, unreachable, datagrams, names, echoes]),
        (OPTIONS, [by_networkd]))
