"""A firewall on the machine that drops what it did not ask for changes nothing."""

import errno
import socket
import subprocess

from lab import Web, check, equal, every_byte, protocol_text, run, sha256

RULES = """
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    ct state invalid counter drop
    iif lo accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
"""
CONTENT = every_byte(5_000) + protocol_text(5_000)


def close_it(lab):
    """INPUT and FORWARD policy drop"""
    subprocess.run(lab.gateway.command(["nft", "-f", "-"]), input=RULES, text=True, check=True)
    ours = lab.app.socket(timeout=1)
    try:
        ours.connect(("192.168.77.1", 22))
        outcome = "connected"
    except OSError as error:
        outcome = "timed out" if isinstance(error, TimeoutError) else errno.errorcode[error.errno]
    equal(outcome, "timed out", "it is in force: a connect from the LAN to the machine itself")
    ours.close()


def download(lab):
    """curl gets its page"""
    lab.keep(Web(lab, 80, {"/": CONTENT}))
    ended = lab.gateway.run(["curl", "-sS", "--max-time", "60", f"http://{lab.SERVER}/"])
    equal(sha256(ended.stdout), sha256(CONTENT), f"sha256 of {len(CONTENT)} bytes")


def refusal(lab):
    """A refused connect is still ECONNREFUSED"""
    equal(errno.errorcode.get(lab.socket().connect_ex((lab.SERVER, 4444))), "ECONNREFUSED", "connect to a closed port")


def names(lab):
    """dig still gets its answer"""
    ended = lab.gateway.run(["dig", "+short", "+tries=1", "+time=20", f"@{lab.DNS}", "one.example.net"], text=True)
    equal(ended.stdout.strip(), "198.51.100.1", "answer")


def datagrams(lab):
    """UDP still comes back"""
    echo = lab.socket(socket.SOCK_DGRAM, lab.internet)
    echo.bind((lab.SERVER, 9000))
    program = lab.socket(socket.SOCK_DGRAM)
    program.connect((lab.SERVER, 9000))
    program.send(b"question")
    data, peer = echo.recvfrom(100)
    echo.sendto(data + b", answer", peer)
    equal(program.recv(100), b"question, answer", "what came back")


def nothing_invalid(lab):
    """The connection tracker found nothing wrong with any packet"""
    listing = lab.gateway.run(["nft", "list", "ruleset"], text=True).stdout
    check("ct state invalid counter packets 0 bytes 0" in listing, "0 packets in state invalid")


if __name__ == "__main__":
    run(({"hosts": [("one.example.net", "198.51.100.1")]},
         [close_it, download, refusal, names, datagrams, nothing_invalid]))
