"""QIMUX_LAB=direct: gateway and internet joined by a veth, with a resolver where the daemon would have one."""

import contextlib
import socket
import struct
import threading


def join(lab):
    lab.gateway.ip("link", "add", "gsm0", "type", "veth", "peer", "name", "gsm1", "netns", "internet")
    lab.gateway.ip("addr", "add", f"{lab.GATEWAY}/30", "dev", "gsm0")
    lab.internet.ip("addr", "add", f"{lab.DNS}/30", "dev", "gsm1")
    lab.gateway.ip("link", "set", "gsm0", "mtu", "1488", "up")
    lab.internet.ip("link", "set", "gsm1", "mtu", "1488", "up")
    lab.gateway.ip("route", "add", "default", "via", lab.DNS)
    lab.internet.ip("route", "add", "192.168.77.0/24", "via", lab.GATEWAY)
    lab.internet.sysctl("net.ipv4.ip_forward", "1")
    records = {}
    for name, address in lab.hosts:
        records.setdefault(name.lower(), []).append(address)
    _resolver(lab, records)


def _resolver(lab, records):
    datagrams = lab.internet.socket(socket.SOCK_DGRAM, timeout=None)
    datagrams.bind((lab.DNS, 53))
    listener = lab.internet.listen((lab.DNS, 53))

    def udp():
        while True:
            question, peer = datagrams.recvfrom(2048)
            datagrams.sendto(_answer(question, records), peer)

    def tcp():
        while True:
            connection, _ = listener.accept()
            with connection:
                size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
                answer = _answer(connection.recv(size, socket.MSG_WAITALL) if size else b"", records)
                with contextlib.suppress(OSError):
                    connection.sendall(struct.pack(">H", len(answer)) + answer)

    for loop in (udp, tcp):
        threading.Thread(target=loop, daemon=True).start()


def _answer(question, records):
    identity = question[:2]
    refused = identity + struct.pack(">HHHHH", 0x8181, 0, 0, 0, 0)
    labels, at = [], 12
    while at < len(question) and question[at]:
        if question[at] > 63:
            return refused
        labels.append(question[at + 1:at + 1 + question[at]])
        at += 1 + question[at]
    if at + 5 > len(question):
        return refused
    kind = struct.unpack(">H", question[at + 1:at + 3])[0]
    addresses = records.get(b".".join(labels).decode("latin-1").lower())
    code = 0x8180 if addresses else 0x8183
    found = addresses if addresses and kind == 1 else []
    rows = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(a) for a in found)
    return identity + struct.pack(">HHHHH", code, 1, len(found), 0, 0) + question[12:at + 5] + rows
