"""Names by the module's resolver; and nothing but a name ever reaches the module."""

import random
import re
import socket
import struct

from lab import check, equal, module_only, note, run, until
from lab.packets import dns_name, dns_question

HOSTS = [("one.example.net", "198.51.100.1"),
         ("many.example.net", "198.51.100.1"), ("many.example.net", "198.51.100.2"),
         ("many.example.net", "198.51.100.3"), ("after.example.net", "198.51.100.9")]
VALID = re.compile(rb"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def dig(lab, *arguments, namespace=None):
    argv = ["dig", f"@{lab.DNS}", "+tries=1", "+time=20", *arguments]
    ended = (namespace or lab.gateway).run(argv, text=True, timeout=40)
    equal(ended.returncode, 0, f"exit code of {' '.join(argv)}")
    status = re.search(r"status: (\w+)", ended.stdout)
    answers = sorted(re.findall(r"\sIN\s+A\s+(\S+)$", ended.stdout, re.MULTILINE))
    return status and status.group(1), answers


def address(lab):
    """A: one address"""
    equal(dig(lab, "one.example.net"), ("NOERROR", ["198.51.100.1"]), "answer")


def several(lab):
    """A: several addresses"""
    equal(dig(lab, "many.example.net"), ("NOERROR", [f"198.51.100.{n}" for n in (1, 2, 3)]), "answer")


def no_such_name(lab):
    """NXDOMAIN"""
    equal(dig(lab, "nowhere.example.net"), ("NXDOMAIN", []), "answer")


def other_types(lab):
    """AAAA: there is no such record, said at once"""
    equal(dig(lab, "one.example.net", "AAAA"), ("NOERROR", []), "answer")


def over_tcp(lab):
    """A over TCP"""
    equal(dig(lab, "+tcp", "many.example.net"), ("NOERROR", [f"198.51.100.{n}" for n in (1, 2, 3)]), "answer")


def by_getaddrinfo(lab):
    """A program that asks the C library"""
    ended = lab.gateway.run(["getent", "ahostsv4", "one.example.net"], text=True)
    check(ended.stdout.startswith("198.51.100.1 "), f"getent says {ended.stdout.splitlines()[:1]}")


def hostile_names(seed, count):
    """Names that no resolver may pass on, in every way that a name can be wrong."""
    rng = random.Random(seed)
    poison = [b'"', b"\r\n", b"\r", b"\n", b";", b";AT+QPOWD=1", b'";AT+QPOWD=1;"', b"\r\nAT+CFUN=0\r\n", b"\x1a", b"\x1b",
              b"\0", b"\x7f", b"\xff", b"\xc3\xa4", b" ", b"+++", b"\r\nOK\r\n", b"'", b"\\", b"(", b"*", b",", b"=", b"/", b"@", b"\x08"]
    for number in range(count):
        kind = number % 8
        word = bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz0123456789-") for _ in range(rng.randint(1, 20)))
        bad = rng.choice(poison)
        if kind < 4:  # something in a label that does not belong into a name
            yield dns_name(b"x" + word + bad + word + b"x", b"example", b"net")
        elif kind == 4:  # 255 bytes and more
            yield dns_name(*[b"a" * 63] * 4, b"b" * rng.randint(1, 63))
        elif kind == 5:  # compression that points at itself, forward, or in a circle
            yield rng.choice([b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xff\xff", b"\xc0\x50"])
        elif kind == 6:  # labels longer than the message, unknown label types, no end
            yield rng.choice([b"\x3fabc", b"\x40abc\0", b"\x80\0", b"\x05a", b"", bad])
        else:  # a label that is all poison, or begins or ends with a hyphen
            yield rng.choice([dns_name(bad), dns_name(bad * 5, b"net"), dns_name(b"-" + word), dns_name(word + b"-", b"net"),
                              dns_name(b"one.example", b"net" + bad)])


def hostile(lab):
    """1,000 hostile names: the module sees none of them, and good ones are answered in between"""
    program = lab.socket(socket.SOCK_DGRAM, timeout=20)
    since = 0 if lab.direct else lab.transcript.length()
    answered = 0
    for number, name in enumerate(hostile_names(seed=1, count=1000)):
        program.sendto(dns_question(name, 1 if number % 11 else 28, identity=number), (lab.DNS, 53))
        if number % 25 == 24:
            answered += _until_good_answer(lab, program)
    note(f"{answered} of 1000 were answered with an error, the rest not at all; 40 good ones in between were answered")
    equal(dig(lab, "after.example.net"), ("NOERROR", ["198.51.100.9"]), "a good name afterwards")
    if not lab.direct:
        heard = [text for _, way, text in lab.transcript.entries(since) if way == "->"]
        asked = {text for text in heard if "QIDNSGIP" in text}
        good = {f'AT+QIDNSGIP="{name}"' for name, _ in HOSTS}
        check('AT+QIDNSGIP="after.example.net"' in asked, "the good name was asked of the module")
        equal(asked - good, set(), "other names that reached the module meanwhile")


def _until_good_answer(lab, program):
    """Everything before it has been dealt with once a good question is answered. Returns how many answers came before."""
    program.sendto(dns_question(dns_name(b"one", b"example", b"net"), identity=0xfffe), (lab.DNS, 53))
    count = 0
    while program.recv(4096)[:2] != b"\xff\xfe":
        count += 1
    return count


def hostile_over_tcp(lab):
    """Hostile messages over TCP: wrong lengths, garbage, nothing"""
    for message in (b"\0\0", b"\xff\xffabc", struct.pack(">H", 5) + b"short", b"\0", struct.pack(">H", 300) + bytes(300)):
        connection = lab.connect(53, lab.DNS, timeout=10)
        connection.sendall(message)
        connection.close()
    equal(dig(lab, "+tcp", "one.example.net"), ("NOERROR", ["198.51.100.1"]), "a good name afterwards")


@module_only
def only_names(lab):
    """Everything that reached the module in this run was a name"""
    lines = re.findall(rb'AT\+QIDNSGIP=(.*)', lab.transcript.text().encode("latin-1"))
    check(lines, f"{len(lines)} questions reached the module")
    wrong = [line for line in lines if not VALID.fullmatch(line.strip().strip(b'"')) or line.count(b'"') != 2]
    equal(wrong, [], "questions that are not a quoted name")
    for word in ("QPOWD", "CFUN=0"):
        equal(lab.transcript.count(rf"-> .*{word}"), 0, f"{word} on the command line")


@module_only
def no_socket_spent(lab):
    """Resolving takes none of the six sockets"""
    equal(lab.transcript.count(r"-> AT\+QIOPEN="), 0, "QIOPEN commands")
    until(lambda: lab.taken() == 0, 5, "six free sockets")


if __name__ == "__main__":
    run(({"hosts": HOSTS}, [address, several, no_such_name, other_types, over_tcp, by_getaddrinfo, hostile, hostile_over_tcp,
                            only_names, no_socket_spent]))
