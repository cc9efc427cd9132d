"""qimuxctl tells what is going on, to people and to programs."""

import json
import subprocess

from lab import check, equal, module_only, pattern, run, until
from lab.lab import BUILD

FIELDS = {"link": str, "address": str, "operator": str, "rssi_dbm": int, "sockets": list, "queue": int,
          "recoveries": dict, "unconfirmed_bytes": int}
SOCKET_FIELDS = ("index", "state", "protocol", "remote", "local", "sent", "acknowledged", "received", "idle_s")


@module_only
def contract(lab):
    """The fields that other programs build on"""
    status = lab.status()
    for field, kind in FIELDS.items():
        check(isinstance(status.get(field), kind), f"status has {field} = {str(status.get(field))[:60]}")
    equal(status["link"], "online", "link")
    equal([s["index"] for s in status["sockets"]], list(range(6)), "indices of the sockets")
    for field in SOCKET_FIELDS:
        check(all(field in s for s in status["sockets"]), f"every socket has {field}")


@module_only
def figures(lab):
    """A connection's figures are what the program sent and received"""
    up, down = pattern(3_000), pattern(5_000)

    def talk(connection):
        received = 0
        while received < len(up):
            received += len(connection.recv(4096))
        connection.sendall(down)
        connection.recv(1)
    lab.serve(7000, talk)
    connection = lab.connect(7000)
    connection.sendall(up)
    received = b""
    while len(received) < len(down):
        received += connection.recv(4096)

    def figures_of():
        mine = [s for s in lab.status()["sockets"] if s["remote"] == f"{lab.SERVER}:7000"]
        return mine and mine[0]["acknowledged"] == len(up) and mine[0]
    mine = until(figures_of, 15, "one socket with everything acknowledged")
    equal((mine["protocol"].lower(), mine["sent"], mine["received"]), ("tcp", len(up), len(down)), "protocol, sent, received")
    connection.close()


@module_only
def for_people(lab):
    """status, sockets, flows and stats as tables; the help names every verb"""
    lab.serve(7000, lambda c: c.recv(1))
    lab.connect(7000)
    for verb, words in (("status", ["online", "10.180.217.206"]), ("sockets", [f"{lab.SERVER}:7000"]),
                        ("flows", [f"{lab.SERVER}:7000"]), ("stats", [])):
        ended = lab.ctl(verb)
        equal(ended.returncode, 0, f"exit code of qimuxctl {verb}")
        for word in words:
            check(word in ended.stdout, f"qimuxctl {verb} prints {word}")
        ended = lab.ctl("--json", verb)
        equal(ended.returncode, 0, f"exit code of qimuxctl --json {verb}")
        check(json.loads(ended.stdout) is not None, f"qimuxctl --json {verb} prints JSON")


@module_only
def at_commands(lab):
    """at puts a question to the module, and refuses what would pull the rug from under the daemon"""
    ended = lab.ctl("at", "AT+CSQ")
    equal(ended.returncode, 0, "exit code of qimuxctl at AT+CSQ")
    check("+CSQ: " in ended.stdout, f"it prints {ended.stdout.strip()}")
    forbidden = ("CFUN=0", "QPOWD", "ATE1", "QICLOSE", r"CSQ;")
    before = {command: lab.transcript.count(rf"-> .*{command}") for command in forbidden}
    for command in ("AT+QIDEACT", "AT+CFUN=0", "AT+QPOWD=1", "ATE1", "AT+QISEND=0,5", "AT+QICLOSE=0", "AT+CSQ;+QIDEACT",
                    "AT+CSQ\rAT+QPOWD=1", "\x1b", ""):
        ended = lab.ctl("at", command)
        check(ended.returncode != 0, f"at {command!r} is refused: {ended.stderr.strip()[:100]}")
    for command in forbidden:
        equal(lab.transcript.count(rf"-> .*{command}"), before[command], f"{command} on the line, as often as before")


@module_only
def monitor(lab):
    """monitor prints lines where its output is no terminal"""
    running = lab.start(lab.gateway, "monitor", [f"{BUILD}/qimuxctl", "--socket", lab.CONTROL, "monitor"])
    running.wait_line(r"online", 10)
    until(lambda: len(running.log().splitlines()) >= 3, 15, "more than one second of it")
    check("\x1b" not in running.log(), "no escape sequences in it")


@module_only
def waiting(lab):
    """wait-online ends with 0 when online, and with 1 when the time is over"""
    equal(lab.ctl("wait-online", "--timeout", "5").returncode, 0, "exit code online")
    lab.sim.popen.kill()
    lab.sim.wait()
    lab.sim = None
    until(lambda: lab.status()["link"] != "online", 15, "the daemon to notice that the module is gone")
    equal(lab.ctl("wait-online", "--timeout", "1").returncode, 1, "exit code offline")
    with subprocess.Popen(lab.gateway.command([f"{BUILD}/qimuxctl", "--socket", lab.CONTROL, "wait-online", "--timeout", "60"])) as client:
        lab.start_sim()
        equal(client.wait(70), 0, "exit code of one that waited")
    equal(lab.status()["link"], "online", "link")


if __name__ == "__main__":
    run(({}, [contract, figures, for_people, at_commands, monitor, waiting]))
