"""A capture shows nobody's data, replays, and never harms the daemon."""

import os
import re
import shutil
import signal
import subprocess

from lab import Lab, Web, check, equal, module_only, note, pattern, run, until
from lab.lab import BUILD
from lab.sessions import curl, echo_server, send_datagrams

FILE = "/run/qimux-lab/e2e.capture"
MARKER = b"PAYLOAD-MARKER-7731"
NUMBER, MESSAGE = "+4917055501234", "MeetMeAtTheUsualPlace"
HOST = "secrethost.example.org"
LAST_IP = "203.0.113.9"
SETTINGS = {"module": {"apn": "corpapn.example", "user": "apnuser77", "password": "apnpass88", "pin": "47110815"},
            "policy": [{"action": "deny", "protocol": "tcp", "to": "203.0.113.10/32"}]}
ARGUMENTS = ["--pin", "47110815", "--own-number", NUMBER]


def replay(*arguments):
    return subprocess.run([f"{BUILD}/qimux-replay", *arguments], text=True, capture_output=True, check=False)


def content(path=FILE):
    with open(path, encoding="latin-1") as file:
        return file.read()


def edited(text):
    path = "/run/qimux-lab/edited.capture"
    with open(path, "w", encoding="latin-1") as file:
        file.write(text)
    return path


def asked(lab, command):
    ended = lab.ctl("at", command)
    check(ended.returncode == 0, f"qimuxctl at {command} {ended.stderr.strip()}")
    return re.search(r"\b[0-9A-Z]{10,}", ended.stdout).group(0)


def use_everything(lab):
    """A session in which each secret passes an edge; what they were, by name."""
    body = MARKER * 400
    lab.keep(Web(lab, 80, {"/" + MARKER.decode(): body}))
    equal(curl(lab, f"http://{HOST}/{MARKER.decode()}"), body, "the page")
    lab.gateway.run(["dig", "+tcp", "+short", HOST], timeout=30)
    lab.gateway.run(["dig", "+short", "TXT", "other" + HOST], timeout=30)
    echo_server(lab, 7007)
    equal(send_datagrams(lab, 7007, [MARKER]), 1, "datagrams that came back")
    lab.gateway.run(["ping", "-c", "1", "-W", "5", LAST_IP], timeout=20)
    lab.gateway.run(["curl", "-sS", "--max-time", "5", "http://203.0.113.10/"], timeout=20)  # the policy denies it
    secrets = {"IMEI": asked(lab, "AT+GSN"), "IMSI": asked(lab, "AT+CIMI"), "ICCID": asked(lab, "AT+QCCID")}
    lab.ctl("at", "AT+CNUM")
    lab.ctl("dns", "byctl" + HOST)
    lab.ctl("ping", LAST_IP)
    lab.fault(f'urc +CMT: "{NUMBER}",,"22/11/26,22:40:00+04"')
    lab.fault(f"urc {MESSAGE}")
    until(lambda: MESSAGE in lab.daemon.log(), 10, "the text message in the daemon's log")
    secrets |= {"PIN": "47110815", "APN": "corpapn.example", "user": "apnuser77", "password": "apnpass88",
                "payload": MARKER.decode(), "host name": HOST, "address": lab.SERVER, "pinged address": LAST_IP,
                "denied address": "203.0.113.10", "number": NUMBER[1:], "text message": MESSAGE}
    return secrets


def forms(secret):
    """As it could stand in a capture: as text, in hexadecimal, as an address or a name of a packet."""
    yield secret
    yield secret.encode().hex()
    if re.fullmatch(r"[\d.]+", secret) and secret.count(".") == 3:
        yield "".join(f"{int(part):02x}" for part in secret.split("."))
    if secret.count(".") == 2 and not secret[0].isdigit():
        yield b"".join(bytes([len(part)]) + part.encode() for part in secret.split(".")).hex()


def shown(secrets, text):
    # What the port gave in pieces, in one: a number may be cut in the middle.
    text = (text + "".join(re.findall(r' port< \d+ "(.*)"$', text, re.MULTILINE))).lower()
    return sorted(name for name, secret in secrets.items() if any(form.lower() in text for form in forms(secret)))


@module_only
def nothing_of_anybody(lab):
    """PIN, password, IMEI, IMSI, payload, names, addresses, numbers: none is in a capture, and it replays"""
    secrets = use_everything(lab)
    equal(lab.stop_daemon(), 0, "exit code of the daemon")
    equal(shown(secrets, content()), [], "secrets in the capture")
    equal(oct(os.stat(FILE).st_mode & 0o777), "0o600", "its mode")
    ended = replay(FILE)
    check(ended.returncode == 0, f"qimux-replay ends with 0: {ended.stdout.strip()}{ended.stderr.strip()}")
    note(f"{len(content())} bytes for a session with {content().count(' port>')} writes to the module")


@module_only
def all_of_it(lab):
    """With --capture-everything all of them are, and it replays too"""
    secrets = use_everything(lab)
    equal(lab.stop_daemon(), 0, "exit code of the daemon")
    equal(shown(secrets, content()), sorted(secrets), "secrets in the capture")
    ended = replay(FILE)
    check(ended.returncode == 0, f"qimux-replay ends with 0: {ended.stdout.strip()}{ended.stderr.strip()}")


@module_only
def download_then_edit(lab):
    """A capture of a download and an idle connection replays; edited, or with another daemon, it does not"""
    lab.keep(Web(lab, 80, {"/file": pattern(20_000)}))
    curl(lab, f"http://{lab.SERVER}/file")
    lab.serve(7100, lambda connection: connection.recv(10))
    connection = lab.connect(7100)
    connection.send(b"hello")
    checked = 'port> "AT+QISTATE'
    before = content().count(checked)
    until(lambda: content().count(checked) > before, 40, "a check of the idle connection")
    connection.close()
    equal(lab.stop_daemon(), 0, "exit code of the daemon")
    original = content()
    ended = replay(FILE)
    check(ended.returncode == 0, f"qimux-replay ends with 0: {ended.stdout.strip()}")

    ended = replay(edited(original.replace('config idle = "10s"', 'config idle = "20s"')))
    line = checked.join(original.split(checked)[:before + 1]).count("\n") + 1
    equal(ended.returncode, 1, "exit code with another keepalive.idle")
    check(f":{line}: different at" in ended.stdout, f"and it is the line of AT+QISTATE: {ended.stdout.splitlines()[0]}")

    at = original.index('port> "AT+QIRD=0,1,0,1500')
    ended = replay(edited(original[:at] + original[at:].replace("1500", "1400", 1)))
    line = original[:at].count("\n") + 1
    equal(ended.returncode, 1, "exit code with another command")
    check(f":{line}: different at" in ended.stdout, f"and it is that line: {ended.stdout.splitlines()[0]}")

    ended = replay(edited(original.replace("\n0.", "\n0;", 1)))
    equal(ended.returncode, 2, "exit code with a damaged line")
    check(re.search(r"edited.capture: line \d+: it does not begin with a time", ended.stderr), ended.stderr.strip())
    equal(replay("/etc/passwd").returncode, 2, "exit code with no capture at all")
    equal(replay(FILE, "--until", "1").returncode, 0, "exit code up to the first second")
    check("AT+QIOPEN" in replay(FILE, "--verbose").stderr, "--verbose prints the records")


@module_only
def killed(lab):
    """The capture of a daemon that was killed in the middle of a download replays up to there"""
    lab.keep(Web(lab, 80, {"/file": pattern(60_000)}))
    program = lab.start(lab.gateway, "curl", ["curl", "-sS", "-o", "/dev/null", f"http://{lab.SERVER}/file"])
    until(lambda: content().count("AT+QIRD=") > 10, 30, "some blocks")
    daemon, lab.daemon = lab.daemon, None
    daemon.popen.send_signal(signal.SIGKILL)
    daemon.wait()
    program.popen.kill()
    shutil.copyfile(FILE, FILE + ".killed")
    ended = replay(FILE + ".killed")
    check(ended.returncode == 0 and "cut off" in ended.stdout, f"qimux-replay: {ended.stdout.strip()}")
    lab.start_daemon()
    lab.wait_online()
    equal(content(FILE + ".1"), content(FILE + ".killed"), "what the next start has kept")
    equal(lab.stop_daemon(), 0, "exit code of the daemon")


@module_only
def harmless(lab):
    """A capture that has reached its limit, or cannot be written, ends with one warning, and nothing else does"""
    lab.start_sim()
    lab.keep(Web(lab, 80, {"/file": pattern(20_000)}))
    for path, warning in ((FILE, "it has reached its limit of 16384 bytes"), ("/dev/full", "No space left"),
                          ("/no/such/file", "No such file")):
        lab.daemon_arguments = ["--capture", path, "--capture-limit", "16K"]
        lab.start_daemon()
        lab.wait_online()
        equal(len(curl(lab, f"http://{lab.SERVER}/file")), 20_000, "bytes of the page")
        daemon = lab.daemon
        equal(lab.stop_daemon(), 0, "exit code of the daemon")
        said = [line for line in daemon.log().splitlines() if "capture: " in line and path in line]
        check(len(said) == 1 and warning in said[0], f"one warning: {said}")
    check(os.path.getsize(FILE) <= 16384, f"{os.path.getsize(FILE)} bytes are within the limit")
    ended = replay(FILE)
    check(ended.returncode == 0, f"qimux-replay ends with 0: {ended.stdout.strip()}")


CAPTURE = ["--capture", FILE]
NAMES = {"hosts": [(HOST, Lab.SERVER), ("byctl" + HOST, LAST_IP)], "settings": SETTINGS, "sim": ARGUMENTS}

if __name__ == "__main__":
    run(({**NAMES, "daemon": CAPTURE}, [nothing_of_anybody]),
        ({**NAMES, "daemon": [*CAPTURE, "--capture-everything"]}, [all_of_it]),
        ({"daemon": CAPTURE, "settings": {"keepalive": {"idle": "10s"}}}, [download_then_edit]),
        ({"daemon": CAPTURE}, [killed]),
        ({"start": False}, [harmless]))
