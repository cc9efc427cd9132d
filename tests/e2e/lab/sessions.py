"""What programs do, for scenarios that only need something to be done."""

import socket
import threading
import time

from .checks import check
from .process import Process


def curl(lab, *arguments, timeout=120, once=None):
    """What curl has fetched; `once` is called when it has been at it for long enough to be in the middle."""
    argv = ["curl", "-sS", "--fail", "--max-time", str(timeout), *arguments, "-o", "/run/qimux-lab/fetched"]
    program = lab.keep(Process("curl", lab.gateway.command(argv), lab.log_dir))
    if once:
        time.sleep(1.5)
        check(program.alive(), "curl is in the middle of it")
        once()
    code = program.wait(timeout + 10)
    check(code == 0, f"curl {arguments[-1]} ends with 0 {program.log().strip()}")
    try:
        with open("/run/qimux-lab/fetched", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def echo_server(lab, port):
    """Sends every datagram back, in the internet."""
    server = lab.socket(socket.SOCK_DGRAM, lab.internet)
    server.bind(("0.0.0.0", port))

    def serve():
        while True:
            try:
                data, peer = server.recvfrom(2048)
                server.sendto(data, peer)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()


def send_datagrams(lab, port, datagrams, timeout=15):
    """How many of them came back as they were, one after the other."""
    client = lab.socket(socket.SOCK_DGRAM, timeout=timeout)
    client.connect((lab.SERVER, port))
    same = 0
    for datagram in datagrams:
        client.send(datagram)
        try:
            same += client.recv(2048) == datagram
        except TimeoutError:
            pass
    return same
