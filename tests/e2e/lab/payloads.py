"""What is carried: bytes that break a careless reader of the module's answers."""

import hashlib
import random

# Everything a module says, and every byte that means something to it while data is sent.
_PROTOCOL = [
    b"\r\nOK\r\n", b"\r\nERROR\r\n", b"+QIRDI: 0,1,0\r\n", b"\r\n+QIRDI: 0,1,0,1,1332,1332\r\n", b"0, CLOSED\r\n",
    b"\r\n3, CLOSED\r\n", b"\r\n> ", b"\r\nSEND OK\r\n", b"SEND FAIL\r\n", b"\x1a", b"\x1b", b"+++", b"\r\n+PDP DEACT\r\n",
    b"\r\nRDY\r\n", b"\r\n1, CONNECT OK\r\n", b"+QIRD: 198.51.100.1:80,TCP,1460\r\n", b"AT+QICLOSE=0\r", b"AT\r\r\n",
    b"\x11\x13", b"\x00", b"\xff",
]


def every_byte(size):
    """All 256 values in order, again and again."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def protocol_text(size, seed=1):
    """Nothing but protocol text, in an order that no chunk size lines up with."""
    rng = random.Random(seed)
    out = bytearray(b"".join(_PROTOCOL))
    while len(out) < size:
        out += rng.choice(_PROTOCOL)
    return bytes(out[:size])


def pattern(size, seed=0):
    """Bytes that never repeat in step, so that a lost, doubled or swapped piece always shows."""
    return random.Random(seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()
