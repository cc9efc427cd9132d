"""qimuxctl's tools: data use, metrics, reset, probe, bugreport and doctor, with a real daemon or without one."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import termios

from lab import check, equal, module_only, note, pattern, run, service, until
from lab.lab import BUILD

PROM = "/run/qimux-lab/qimuxd.prom"
PROMTOOL = os.path.join(os.path.dirname(__file__), "../../build/unpacked/prometheus/usr/bin/promtool")
IMEI = r"\b\d{15}\b"


def answer(lab, *verb, code=0):
    """What qimuxctl --json prints."""
    ended = lab.ctl("--json", *verb)
    equal(ended.returncode, code, f"exit code of qimuxctl --json {' '.join(verb)}")
    return json.loads(ended.stdout)


def exchange(lab, port, up, down):
    """Sends and receives so many bytes over one connection."""
    def talk(connection):
        received = 0
        while received < up:
            received += len(connection.recv(4096))
        connection.sendall(pattern(down))
        connection.recv(1)
    lab.serve(port, talk)
    connection = lab.connect(port)
    connection.sendall(pattern(up))
    received = 0
    while received < down:
        received += len(connection.recv(4096))
    connection.close()


def used(lab, name, *options):
    """(sent, received) of `name` in the latest period."""
    periods = [p for p in answer(lab, "usage", *options)["periods"] if p["period"] != "unknown"]
    rows = [row for row in periods[0]["by"] if row["name"] == name] if periods else []
    return (rows[0]["sent"], rows[0]["received"]) if rows else (0, 0)


@module_only
def usage(lab):
    """Data use by destination: every payload byte, also of names, and still there after a restart"""
    before = used(lab, f"tcp {lab.SERVER}:7000")
    exchange(lab, 7000, 3_000, 5_000)
    now = until(lambda: (u := used(lab, f"tcp {lab.SERVER}:7000")) != before and u, 15, "the bytes to be counted")
    equal((now[0] - before[0], now[1] - before[1]), (3_000, 5_000), "bytes sent and received")
    lab.ctl("dns", "www.example.net")
    check(used(lab, "names")[0] > 0, "look-ups of names are counted too")
    equal(lab.stop_daemon(), 0, "exit code of the daemon")
    with open(f"{lab.STATE}/usage.json") as file:
        check("days" in json.load(file), "usage.json is JSON")
    lab.start_daemon()
    lab.wait_online()
    equal(used(lab, f"tcp {lab.SERVER}:7000"), now, "bytes after a restart")
    equal(used(lab, f"tcp {lab.SERVER}:7000", "--months", "1"), now, "and of the month")
    shown = lab.ctl("usage", "--days", "7").stdout
    check(f"tcp {lab.SERVER}:7000" in shown, "usage is a table for people")
    equal(lab.ctl("usage", "--days", "7", "--months", "1").returncode, 2, "exit code of --days beside --months")


@module_only
def damaged_usage(lab):
    """A usage.json that is damaged is moved aside, and said; counting begins anew"""
    lab.stop_daemon()
    with open(f"{lab.STATE}/usage.json", "w") as file:
        file.write('{"version":1,"days":{"20')
    lab.start_daemon()
    lab.wait_online()
    check(os.path.exists(f"{lab.STATE}/usage.json.damaged"), "the damaged file is kept beside it")
    check("usage.json" in lab.daemon.log(), "the log tells")
    exchange(lab, 7001, 100, 100)
    until(lambda: used(lab, f"tcp {lab.SERVER}:7001") == (100, 100), 15, "counting anew")


@module_only
def metrics(lab):
    """metrics are what promtool takes for such; --textfile is whole, and for everybody to read"""
    text = lab.ctl("metrics").stdout
    check(re.search(r'^qimuxd_online\{interface="gsm0"\} 1$', text, re.M), "qimuxd_online is 1")
    check(re.search(r'^qimuxd_bytes_sent_total\{interface="gsm0"\} \d+$', text, re.M), "bytes are counted")
    equal(lab.ctl("metrics", "--textfile", PROM).returncode, 0, "exit code of --textfile")
    equal(stat.S_IMODE(os.stat(PROM).st_mode), 0o644, "mode of the file")
    with open(PROM) as file:
        check("qimuxd_up" in file.read(), "the file has the metrics")
    promtool = shutil.which("promtool") or shutil.which(PROMTOOL)
    if promtool:
        ended = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        equal((ended.returncode, ended.stderr), (0, ""), "promtool check metrics")
    else:
        note("no promtool (tests/unpack-packages): only the unit test has checked the format")


@module_only
def reset(lab):
    """reset restarts the module, is counted and logged as such, and --wait ends when it is online again"""
    count = lab.status()["recoveries"]["restart"]
    lines = lab.transcript.count(r"-> .*AT\+CFUN=1,1")
    ended = lab.ctl("reset", "--wait", "--timeout", "60", timeout=70)
    equal((ended.returncode, ended.stderr), (0, ""), "reset --wait")
    status = lab.status()
    equal(status["link"], "online", "link")
    equal(status["recoveries"]["restart"], count + 1, "restarts that were counted")
    equal(lab.transcript.count(r"-> .*AT\+CFUN=1,1"), lines + 1, "AT+CFUN=1,1 on the line")
    last = answer(lab, "recoveries")[-1]
    equal((last["step"], last["why"], last["result"]), ("restart", "asked for", "done"), "the last recovery")
    check(re.search(r"restart.*asked for", lab.daemon.log()), "the log says why")
    refused = answer(lab, "reset", "--line", code=1)
    check("module.reset" in refused["error"]["message"], f"--line says {refused['error']['message']}")
    exchange(lab, 7002, 500, 500)


@module_only
def probe(lab):
    """probe says who has the port; with the port free it finds the module, and changes nothing"""
    ended = lab.ctl("probe", lab.LINK)
    equal(ended.returncode, 1, "exit code of probe with a daemon on the port")
    check("in use by qimuxd" in ended.stderr, f"it says {ended.stderr.strip()}")
    lab.stop_daemon()
    begin = lab.transcript.count(r"-> ")
    found = answer(lab, "probe", lab.LINK)
    equal((found["baud"], found["stack"], found["imei"]), (lab.baud, True, None), "rate, TCP/IP stack, IMEI")
    check(found["identity"], f"identity: {found['identity']}")
    check(lab.transcript.count(r"-> ") > begin, "it has asked the module")
    for command in ("ATE", r"IPR=", "CFUN=", "QINDI=[0-9]", "QIMUX=", "GSN"):
        before = lab.transcript.count(rf"-> .*{command}")
        lab.ctl("probe", lab.LINK)
        equal(lab.transcript.count(rf"-> .*{command}"), before, f"{command} sent by probe")
    shown = lab.ctl("probe", lab.LINK, "--baud", str(lab.baud), "--name", "gsm5").stdout
    check("/etc/qimuxd/gsm5.toml" in shown, "it prints what to paste")
    for name in ("Gsm5", "gsm_5", "control"):
        equal(lab.ctl("probe", lab.LINK, "--name", name).returncode, 2, f"exit code of probe --name {name}, which udev would not take")
    equal(lab.ctl("probe", "/dev/null").returncode, 1, "exit code of probe /dev/null")
    check(re.search(IMEI, lab.ctl("probe", lab.LINK, "--imei").stdout), "the IMEI where it is asked for")
    lab.start_daemon()
    lab.wait_online()


@module_only
def bugreport(lab):
    """bugreport knows the daemon and its module, and hides whose they are; without a daemon it says what it can"""
    exchange(lab, 7003, 100, 100)
    imei = lab.status()["module"]["imei"]
    check(re.fullmatch(IMEI, imei), f"the module has an IMEI: {imei}")
    config = "/run/qimux-lab/qimuxd.toml"
    shown = lab.ctl("bugreport", "--config", config).stdout
    for word in ("== versions", "== configuration", "== status", "== recoveries", "== doctor", "== journal",
                 f'device = "{lab.LINK}"', '"link": "online"'):
        check(word in shown, f"the report has {word}")
    check(imei not in shown, "the IMEI is hidden")
    check(lab.SERVER not in shown, "the address that was talked to is hidden")
    check(not re.search(r'password = "(?!\*\*\*|")', shown), "no password")
    full = lab.ctl("bugreport", "--config", config, "--with-personal-data").stdout
    check(imei in full and lab.SERVER in full, "--with-personal-data shows them")
    check("s3cret-user" not in full and "s3cret-word" not in full, "but user and password never")
    lab.stop_daemon()
    report = answer(lab, "bugreport", "--config", config)
    check("no such socket" in report["status"]["error"], "without a daemon the report says that there is none")
    check(lab.LINK in report["configuration"], "and has the configuration")
    lab.start_daemon()
    lab.wait_online()


def verdicts(report):
    return {f["check"]: f["verdict"] for f in report["findings"]}


@module_only
def doctor(lab):
    """doctor has nothing to fail where all is well, and names three things that are wrong, with what to do"""
    config = "/run/qimux-lab/qimuxd.toml"
    well = answer(lab, "doctor", "--config", config)
    equal(well["fine"], True, "fine")
    for what in ("config", "device", "tun", "daemon", "link"):
        equal(verdicts(well).get(what), "ok", f"verdict on {what}")
    # A program on the port, a firewall that drops, a daemon that does not run.
    lab.stop_daemon()
    holder = lab.start(lab.gateway, "minicom", ["sh", "-c", f"exec 3<>{lab.LINK}; echo open; sleep 300"])
    holder.wait_line("open", 5)
    lab.gateway.run(["nft", "add table inet strict; add chain inet strict out { type filter hook output priority 0; policy drop; }"])
    lab.gateway.sysctl("net.ipv4.conf.all.rp_filter", "1")
    try:
        ended = lab.ctl("doctor", "--config", config)
        note(ended.stdout)
        equal(ended.returncode, 1, "exit code")
        report = answer(lab, "doctor", "--config", config, code=1)
        equal(verdicts(report).get("holder"), "fail", "verdict on who has the port")
        equal(verdicts(report).get("daemon"), "fail", "verdict on the daemon")
        equal(verdicts(report).get("firewall"), "warn", "verdict on the firewall")
        for finding in report["findings"]:
            check((finding["verdict"] == "ok") == (finding["advice"] == ""), f"{finding['check']}: advice where it is not ok")
    finally:
        lab.gateway.run(["nft", "delete table inet strict"])
        holder.popen.kill()
        holder.wait()
        lab.start_daemon()
        lab.wait_online()


@module_only
def failures(lab):
    """--json gives what goes wrong as JSON with the exit code; --instance leads to that daemon's socket"""
    for verb, code in ((("status",), 3), (("at", "AT+QPOWD=1"), 3), (("reset",), 3)):
        ended = lab.gateway.run([f"{BUILD}/qimuxctl", "--instance", "gsm7", "--json", *verb], text=True)
        error = json.loads(ended.stdout)["error"]
        equal((ended.returncode, error["exit_code"]), (code, code), f"exit codes of {verb[0]} without a daemon")
        check("/run/qimuxd/gsm7.sock" in error["message"], "the instance's socket is named")
    equal(answer(lab, "at", "AT+QPOWD=1", code=1)["error"]["exit_code"], 1, "exit code of what is refused")
    equal(answer(lab, "frobnicate", code=2)["error"]["exit_code"], 2, "exit code of wrong usage")
    equal(lab.gateway.run([f"{BUILD}/qimuxctl", "--instance", "../x", "status"], text=True).returncode, 2, "of a bad name")


def on_terminal(lab, columns, *verb, env=()):
    """What qimuxctl draws on a terminal until it has drawn three frames, or ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    argv = lab.gateway.command(["env", "TERM=xterm", *env, f"{BUILD}/qimuxctl", "--socket", lab.CONTROL, *verb])
    with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, close_fds=True) as program:
        os.close(slave)
        drawn = b""
        with contextlib.suppress(OSError):  # EIO: it has ended
            while drawn.count(b"\x1b[H") < 3:
                if not select.select([master], [], [], 20)[0]:
                    break
                drawn += os.read(master, 65536)
        program.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while select.select([master], [], [], 2)[0]:
                drawn += os.read(master, 65536)
        code = program.wait(10)
    os.close(master)
    return drawn.decode(), code


@module_only
def terminal(lab):
    """monitor fits a terminal of 80 columns and gives it back; colours only there, and not with NO_COLOR"""
    lab.serve(7004, lambda c: (c.sendall(pattern(30_000)), c.recv(1)))
    connection = lab.connect(7004)
    lab.serve(65535, lambda c: c.recv(1))
    other = lab.connect(65535, "203.0.113.10", namespace=lab.app)
    drawn, code = on_terminal(lab, 80, "monitor")
    equal(code, 0, "exit code of monitor after Ctrl-C")
    check("\x1b[?1049h" in drawn and "\x1b[?1049l" in drawn, "the terminal's own screen comes back")
    frame = drawn.split("\x1b[H")[3].split("\x1b[J")[0]
    shown = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rstrip("\r") for line in frame.split("\n")]
    note("monitor at 80 columns:\n" + "\n".join(shown))
    check(max(map(len, shown)) <= 80, "no line is longer than 80")
    check(any("203.0.113.10" in line or "65535" in line for line in shown), "it shows whom the LAN talks to")
    check("\x1b[1;32m" in drawn, "online is green on a terminal")
    plain, _ = on_terminal(lab, 80, "monitor", env=("NO_COLOR=1",))
    check("\x1b[1;32m" not in plain and "\x1b[7m" not in plain, "NO_COLOR: no colours")
    drawn, _ = on_terminal(lab, 80, "doctor")
    check("\x1b[32mok" in drawn, "doctor has colours on a terminal")
    check("\x1b" not in lab.ctl("doctor").stdout, "and none in a pipe")
    connection.close()
    other.close()


@module_only
def by_program(lab):
    """usage.by = "program": by the name of who opened the connection, and by the address of a LAN's machines"""
    equal(answer(lab, "usage")["by"], "program", "by")
    # The unit's sandbox shows the daemon no processes of others: then it is the user.
    curtained = service.WANTED
    mine, nc = ("user 0", "user 0") if curtained else ("python3", "nc")
    exchange(lab, 7010, 1_000, 2_000)
    until(lambda: used(lab, mine) == (1_000, 2_000), 15, f"bytes of {mine}")
    before = used(lab, nc)
    lab.serve(7011, lambda c: (c.sendall(b"x" * 300), c.close()))
    lab.gateway.run(["nc", "-d", lab.SERVER, "7011"])
    until(lambda: used(lab, nc) == (before[0], before[1] + 300), 15, f"bytes of {nc}")
    lab.app.run(["nc", "-d", lab.SERVER, "7011"])
    until(lambda: used(lab, lab.APP) == (0, 300), 15, "the LAN machine's bytes")
    # It stays for a moment: of a program that is gone before its first packet is looked at nobody knows.
    lab.gateway.run(["sh", "-c", f"(echo hello; sleep 2) | nc -u -w 1 -q 1 {lab.SERVER} 7012"])
    until(lambda: used(lab, nc)[0] == before[0] + 6, 20, "its datagram, though it is gone since")


if __name__ == "__main__":
    run(({"settings": {"module": {"user": "s3cret-user", "password": "s3cret-word"}},
          "hosts": (("www.example.net", "198.51.100.1"),)},
         [usage, damaged_usage, metrics, reset, probe, bugreport, doctor, failures, terminal]),
        ({"settings": {"usage": {"by": "program"}}}, [by_program]))
