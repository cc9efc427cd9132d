"""Datagrams stay datagrams."""

import errno
import socket
import threading
import time

from lab import Failed, Lab, check, equal, module_only, note, pattern, run, until, within

SIZES = [1, 2, 3, 7, 28, 100, 511, 512, 513, 1023, 1024, 1372, 1400, 1459, 1460]
IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2


class Echo:
    """Sends each datagram back; knows what came, one entry each."""

    def __init__(self, lab, port, answers=lambda data: [data], address=Lab.SERVER):
        self.socket = lab.socket(socket.SOCK_DGRAM, lab.internet, timeout=None)
        self.socket.bind((address, port))  # so that answers come from the address that was asked
        self.came = []
        threading.Thread(target=self._serve, args=(answers,), daemon=True).start()

    def _serve(self, answers):
        try:
            while True:
                data, peer = self.socket.recvfrom(65536)
                if not peer:  # the scenario has ended
                    return
                self.came.append(data)
                for answer in answers(data):
                    self.socket.sendto(answer, peer)
        except OSError:
            pass


def client(lab, port, address=None, namespace=None):
    made = lab.socket(socket.SOCK_DGRAM, namespace, timeout=20)
    made.connect((address or lab.SERVER, port))
    return made


def each_size(lab):
    """1 to 1460 bytes, there and back, one datagram each"""
    server = Echo(lab, 9000)
    program = client(lab, 9000)
    for size in SIZES:
        data = pattern(size, seed=size)
        program.send(data)
        back = program.recv(65536)
        if back != data:
            raise Failed(f"{size} bytes sent, {len(back)} came back, or others")
    equal([len(d) for d in server.came], SIZES, "sizes at the server")
    check(server.came == [pattern(s, seed=s) for s in SIZES], "their content")


def bursts(lab):
    """Several datagrams at once keep their boundaries and their order both ways"""
    sizes = [1, 700, 2, 1, 1300, 64, 5]
    answers = [pattern(size, seed=100 + size) for size in sizes]
    server = Echo(lab, 9001, lambda data: answers if data == b"go" else [])
    program = client(lab, 9001)
    for data in answers:
        program.send(data)
    until(lambda: len(server.came) == len(sizes), 20, f"{len(sizes)} datagrams at the server")
    equal([len(d) for d in server.came], sizes, "sizes at the server")
    check(server.came == answers, "their content")
    program.send(b"go")
    back = [program.recv(65536) for _ in sizes]
    equal([len(d) for d in back], sizes, "sizes of seven answers at once")
    check(back == answers, "their content")


def too_large(lab):
    """1461 bytes are EMSGSIZE"""
    Echo(lab, 9002)
    program = client(lab, 9002)
    program.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    equal(_error(lambda: program.send(bytes(1461))), "EMSGSIZE", "1461 bytes that must not be fragmented")
    equal(_error(lambda: program.send(bytes(1460))), "OK", "1460 bytes")
    equal(len(program.recv(65536)), 1460, "bytes that came back")


@module_only
def too_large_by_default(lab):
    """1461 bytes are EMSGSIZE for a program that set nothing, too: at the latest with its next call"""
    server = Echo(lab, 9003)
    program = client(lab, 9003)
    program.settimeout(2)
    equal(_error(lambda: (program.send(bytes(1461)), program.recv(65536))), "EMSGSIZE", "1461 bytes")
    program.send(b"small")
    equal(program.recv(65536), b"small", "the same socket still works")
    equal(server.came, [b"small"], "what the server got")


@module_only
def idle_flows_give_way(lab):
    """Six idle UDP exchanges do not keep a TCP program from connecting"""
    servers = [f"198.51.100.{n}" for n in range(1, 7)]
    for address in servers:
        Echo(lab, 9004, address=address)
    programs = [client(lab, 9004, address) for address in servers]
    for program in programs:
        program.send(b"hello")
        equal(program.recv(100), b"hello", f"echo from {program.getpeername()[0]}")
    equal(lab.taken(), 6, "sockets taken")
    lab.serve(7000, lambda c: c.sendall(c.recv(10)))
    begin = time.monotonic()
    connection = lab.connect(7000)
    within(time.monotonic() - begin, 0, 2 + lab.rtt / 1000, "connect while six UDP flows are idle")
    connection.sendall(b"tcp")
    equal(connection.recv(10), b"tcp", "echo over TCP")
    programs[-1].send(b"again")
    equal(programs[-1].recv(100), b"again", "the last used UDP flow still works")
    note("the least recently used one gave way")
    programs[0].send(b"again")
    equal(programs[0].recv(100), b"again", "and so does the first, by a socket of another or a free one")


def two_programs(lab):
    """Two programs to one server: each gets its own answers"""
    Echo(lab, 9005)
    programs = [client(lab, 9005) for _ in range(2)]
    for turn in range(3):
        for number, program in enumerate(programs):
            program.send(b"%d/%d" % (number, turn))
        for number, program in enumerate(programs):
            equal(program.recv(100), b"%d/%d" % (number, turn), f"answer {turn} to program {number}")


def _error(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "OK"


if __name__ == "__main__":
    run(({}, [each_size, bursts, too_large, too_large_by_default, two_programs, idle_flows_give_way]))
