"""Real programs live through every fault that the simulated module knows: faults_test.py [context|socket|power|line]...

For each: a curl --retry is in the middle of 300 KB when it comes, ends well, and has every byte; and a mosquitto_sub
that has been connected from the beginning comes back by itself and gets what is published afterwards.
"""

import re
import ssl
import subprocess
import sys
import time

from lab import Web, check, equal, module_only, pattern, run, sha256, until
from lab import faults
from lab.curl import Transfer
from lab.mqtt import Broker, Subscriber

SIZE = 300_000
UPLOAD = 60_000
PAGE = pattern(SIZE)
HOST = "meters.example.net"
# Fault to the end of the transfer, whose first attempt may have been almost over.
LONGEST = 90


def certificate():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={HOST}", "-keyout", "/run/qimux-lab/key", "-out", "/run/qimux-lab/crt"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/run/qimux-lab/crt", "/run/qimux-lab/key")
    return context


class Stage:
    def __init__(self, lab):
        self.lab = lab
        self.web = lab.keep(Web(lab, 80, {"/": PAGE}))
        lab.keep(Web(lab, 443, {"/": PAGE}, tls=certificate()))
        self.broker = Broker(lab)
        self.subscriber = Subscriber(lab)
        self.broker.wait_subscribed()
        self.broker.publish("hello")
        self.subscriber.wait("hello", 60)
        self.sent = "/run/qimux-lab/sent"
        with open(self.sent, "wb") as file:
            file.write(PAGE[:UPLOAD])
        self.rows = []

    def socket(self, port):
        """The module's socket of the transfer."""
        return next((s["index"] for s in self.lab.status()["sockets"] if s["remote"] == f"{self.lab.SERVER}:{port}"), None)

    def begin(self, fault):
        url = f"https://{HOST}/" if fault.tls else f"http://{HOST}/{'up' if fault.upload else ''}"
        self.web.stored.clear()
        return Transfer(self.lab, url, upload=self.sent if fault.upload else None,
                        more=["--cacert", "/run/qimux-lab/crt"] if fault.tls else [])

    def in_the_middle(self, fault, transfer):
        """Waits for a third of it to be through, and gives its socket."""
        def sent():
            return next((s["sent"] for s in self.lab.status()["sockets"] if s["remote"] == f"{self.lab.SERVER}:80"), 0)
        if fault.upload:
            until(lambda: sent() > UPLOAD / 4, 60, "a quarter of the upload")
        else:
            until(lambda: transfer.arrived() > SIZE / 5, 60, "a fifth of the download")
        return self.socket(443 if fault.tls else 80)

    def whole(self, fault, transfer):
        content, want = (self.web.stored.get("/up", b""), PAGE[:UPLOAD]) if fault.upload else (transfer.content(), PAGE)
        return sha256(content) == sha256(want)

    def live_through(self, fault):
        connections = self.broker.connections()
        if fault.before:
            begin = time.monotonic()
            fault.inject(self.lab)
            transfer = self.begin(fault)
        else:
            transfer = self.begin(fault)
            socket = self.in_the_middle(fault, transfer)
            begin = time.monotonic()
            fault.inject(self.lab, socket)
        code = transfer.wait(LONGEST)
        took = time.monotonic() - begin
        if code != 0:
            print(transfer.process.log())
        equal(code, 0, f"{fault.title}: exit code of curl")
        check(self.whole(fault, transfer), f"{fault.title}: every byte of it, {transfer.retries()} retries, {took:.1f} s")
        message = f"after {fault.title}"
        self.broker.publish(message)
        self.subscriber.wait(message, LONGEST)
        self.rows.append((fault.title, transfer.retries(), took, self.broker.connections() - connections))
        self.lab.wait_online()

    def table(self):
        print(f"\n| {'fault':48} | retries | seconds | mqtt |")
        print(f"| {'-' * 48} | ------- | ------- | ---- |")
        for title, retries, took, connections in self.rows:
            print(f"| {title:48} | {retries:7} | {took:7.1f} | {f'+{connections}' if connections else 'kept':4} |")
        print(flush=True)


def each(which):
    @module_only
    def scenario(lab):
        stage = Stage(lab)
        try:
            for fault in which:
                stage.live_through(fault)
        finally:
            stage.table()
        check(stage.subscriber.process.alive(), "the subscriber is the one of the beginning")
    return scenario


@module_only
def complete(_):
    """Each verb of the simulated module is among them"""
    equal(sorted(faults.listed() - faults.covered()), [], "verbs that nobody has lived through")


GROUPS = {"context": faults.CONTEXT, "socket": faults.SOCKET, "power": faults.POWER, "line": faults.LINE}
WITH = {"baud": 921600, "rtt": 40, "hosts": [(HOST, "198.51.100.1")],
        "settings": {"dns": {"ttl": "1s"}},
        "sim": ["--check-rate", "--boot-time", "1", "--connect-timeout", "4", "--give-up", "6", "--ack-lag", "100"]}

if __name__ == "__main__":
    only = re.compile(sys.argv.pop() if len(sys.argv) > 2 else "")
    names = sys.argv[1:] or list(GROUPS)
    scenarios = []
    for name in names:
        scenario = each([one for one in GROUPS[name] if only.search(one.title)])
        scenario.__name__, scenario.__doc__ = name, f"{len(GROUPS[name])} faults: curl has every byte, mosquitto_sub is back"
        scenarios.append(scenario)
    run((WITH, [complete, *scenarios]))
