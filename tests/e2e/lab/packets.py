"""Packets made by hand."""

import socket
import struct


def tcp_ack(source, destination, sequence, acknowledged):
    """A TCP segment with ACK and no data."""
    def header(checksum):
        return struct.pack(">HHIIBBHHH", source[1], destination[1], sequence, acknowledged, 5 << 4, 0x10, 8192, checksum, 0)
    pseudo = socket.inet_aton(source[0]) + socket.inet_aton(destination[0]) + struct.pack(">BBH", 0, 6, 20)
    return header(_checksum(pseudo + header(0)))


def dns_question(name, kind=1, identity=1, flags=0x0100):
    """`name` is the encoded name as it goes into the message: valid, or not."""
    return struct.pack(">HHHHHH", identity, flags, 1, 0, 0, 0) + name + struct.pack(">HH", kind, 1)


def dns_name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
