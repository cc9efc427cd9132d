"""A LAN host behind the machine uses the module as the machine itself does."""

import errno
import socket
import threading

from lab import Web, check, equal, every_byte, module_only, protocol_text, run, sha256

CONTENT = {"/0": every_byte(8_000), "/1": protocol_text(8_000)}


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


if __name__ == "__main__":
    run(({"hosts": [("one.example.net", "198.51.100.1")], "settings": {"sockets": {"connect_timeout": "5s"}}},
         [download, same_ports, refused, unreachable, datagrams, names, echoes]))
