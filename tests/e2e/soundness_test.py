"""A little of everything with one daemon: to be run under valgrind, which then looks at all of it."""

import errno
import socket

from lab import Web, check, equal, every_byte, module_only, protocol_text, run, sha256, until

CONTENT = every_byte(6_000) + protocol_text(6_000)


def pages(lab):
    """Two downloads at once, and an upload"""
    server = lab.keep(Web(lab, 80, {"/": CONTENT}))
    ended = lab.gateway.run(["curl", "-sS", "-Z", "--max-time", "90", "http://one.example.net/", f"http://{lab.SERVER}/",
                             "-o", "/run/qimux-lab/a", "-o", "/run/qimux-lab/b"], timeout=100)
    equal(ended.returncode, 0, "exit code of curl")
    for name in "ab":
        with open(f"/run/qimux-lab/{name}", "rb") as file:
            equal(sha256(file.read()), sha256(CONTENT), "sha256 of a download")
    lab.gateway.run(["curl", "-sS", "--max-time", "90", "-T", "/run/qimux-lab/a", f"http://{lab.SERVER}/up"], timeout=100)
    equal(sha256(server.stored.get("/up", b"")), sha256(CONTENT), "sha256 of an upload")


def endings(lab):
    """A refusal, a reset, a connect that is given up, a connection that is still open at the end"""
    equal(errno.errorcode.get(lab.socket().connect_ex((lab.SERVER, 4444))), "ECONNREFUSED", "connect to a closed port")
    lab.serve(7000, lambda c: c.sendall(c.recv(10)))
    connection = lab.connect(7000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.sendall(b"x")
    connection.recv(1)
    connection.close()
    given_up = lab.socket(timeout=0)
    given_up.connect_ex((lab.HOLE, 80))
    if not lab.direct:
        until(lambda: lab.taken() >= 1, 10, "a socket tried")
    given_up.close()


def the_rest(lab):
    """Datagrams, names, echoes"""
    echo = lab.socket(socket.SOCK_DGRAM, lab.internet)
    echo.bind((lab.SERVER, 9000))
    program = lab.socket(socket.SOCK_DGRAM)
    program.connect((lab.SERVER, 9000))
    program.send(every_byte(1460))
    data, peer = echo.recvfrom(2000)
    echo.sendto(data, peer)
    equal(len(program.recv(2000)), 1460, "bytes that came back")
    for arguments in ("one.example.net", "+tcp nowhere.example.net", "AAAA one.example.net"):
        ended = lab.gateway.run(["dig", "+tries=1", "+time=20", f"@{lab.DNS}", *arguments.split()])
        equal(ended.returncode, 0, f"exit code of dig {arguments}")
    equal(lab.gateway.run(["ping", "-c", "1", "-W", "10", lab.SERVER]).returncode, 0, "exit code of ping")


@module_only
def control(lab):
    """Every view of qimuxctl"""
    for verb in ("status", "sockets", "flows", "stats"):
        equal(lab.ctl("--json", verb).returncode, 0, f"exit code of qimuxctl {verb}")
    check(lab.ctl("at", "AT+QPOWD=1").returncode != 0, "a refused command")


if __name__ == "__main__":
    run(({"hosts": [("one.example.net", "198.51.100.1")]}, [pages, endings, the_rest, control]))
