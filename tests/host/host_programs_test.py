"""gammu, smstools, chat and minicom, which know nothing of qimux-sim, take it for a module."""

import contextlib
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from lab.checks import Failed, check, equal, note  # noqa: E402
from lab.process import Process  # noqa: E402
from lab.transcript import Transcript  # noqa: E402
from lab.waiting import until  # noqa: E402

PROGRAMS = ["gammu", "smsd", "chat", "minicom"]
OWN_NUMBER = "+8613912345678"
LONG = "A text that is longer than one message can be. " * 6


class Bench:
    """A module on a tty of its own, for one scenario."""

    def __init__(self, directory, *options):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.tty = os.path.join(directory, "tty")
        transcript = os.path.join(directory, "transcript")
        self.sim = Process("qimux-sim", [os.path.join(os.environ["QIMUX_BUILD"], "qimux-sim"), "--link", self.tty,
                                         "--transcript", transcript, *options], directory)
        until(lambda: os.path.exists(self.tty), 10, "the tty")
        self.transcript = Transcript(transcript)
        self.rc = os.path.join(directory, "gammurc")
        with open(self.rc, "w") as file:
            file.write(f"[gammu]\ndevice = {self.tty}\nconnection = at115200\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def gammu(self, *words):
        """What it prints; its log of the line stays beside the transcript."""
        argv = ["gammu", "-c", self.rc, "-d", "textall", "-f", os.path.join(self.directory, "gammu.log"), *words]
        ended = subprocess.run(argv, capture_output=True, timeout=60, env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
                               stdin=subprocess.DEVNULL)
        text = ended.stdout.decode("utf-8", "replace")
        if ended.returncode != 0:
            raise Failed(f"gammu {' '.join(words)} ended with {ended.returncode}: {text} {ended.stderr.decode()}")
        return text


def field(text, name):
    match = re.search(rf"^{re.escape(name)}\s*:\s*(.*?)\s*$", text, re.MULTILINE)
    return match and match.group(1)


def gammu_identifies(directory):
    """gammu knows who it is, its network, its signal and its phone book"""
    with Bench(directory, "--firmware", "m95") as bench:
        told = bench.gammu("identify")
        equal(field(told, "Manufacturer"), "Quectel_Ltd", "manufacturer")
        check("Quectel_M95" in field(told, "Model"), f"model {field(told, 'Model')}")
        equal(field(told, "Firmware"), "M95FAR02A08", "firmware")
        equal(field(told, "IMEI"), "861234567890128", "IMEI")
        equal(field(told, "SIM IMSI"), "460001234567890", "IMSI")
        told = bench.gammu("networkinfo")
        equal(field(told, "Network state"), "home network", "network state")
        check(field(told, "Network").startswith("460 00 (China Mobile"), f"network {field(told, 'Network')}")
        equal(field(told, "Name in phone"), '"CHINA MOBILE"', "name")
        equal(field(told, "GPRS"), "attached", "GPRS")
        told = bench.gammu("monitor", "1")
        equal(field(told, "Signal strength"), "-69 dBm", "signal")
        equal(field(told, "Enabling info about incoming SMS"), "No error.", "indications")
        check(field(told, "SIM SMS status").endswith("20 locations"), f"SMS status {field(told, 'SIM SMS status')}")
        check("Empty entry" in bench.gammu("getmemory", "SM", "1"), "the phone book is empty")
        check(OWN_NUMBER in bench.gammu("getmemory", "ON", "1"), "the own number")
        check("Nothing to enter" in bench.gammu("getsecuritystatus"), "no PIN is wanted")


def gammu_reads(directory):
    """gammu reads what is on the SIM, in each alphabet and in parts, and deletes it"""
    messages = ["--sms", "+491701234567=Hello {SIM} €", "--sms", "Bank=Привет", "--sms", f"+4930123={LONG}"]
    with Bench(directory, *messages) as bench:
        told = bench.gammu("getallsms")
        check("Hello {SIM} €" in told, "a text of the default alphabet")
        check("Привет" in told and '"Bank"' in told, "a text in UCS2, from a name")
        check("4 SMS parts in 4 SMS sequences" in told, "four parts")
        equal(told.count("UnRead"), 4, "unread messages")
        told = bench.gammu("geteachsms")
        check(LONG.strip() in told, "the long text is put together again")
        check("4 SMS parts in 3 SMS sequences" in told, "three messages")
        check("UnRead" not in told, "they have been read by now")
        check("861380021050" in field(bench.gammu("getsmsc"), "Number"), "the service centre")
        bench.gammu("deleteallsms", "1")
        check("0 SMS parts" in bench.gammu("getallsms"), "nothing is left")


def gammu_sends(directory):
    """gammu sends: out of the module, and to the module's own number, where it comes back"""
    with Bench(directory, "--sms-time", "0.3") as bench:
        told = bench.gammu("sendsms", "TEXT", "+4915112345678", "-text", "out of gammu")
        check("OK, message reference=0" in told, "sent")
        equal(bench.transcript.count(r"-- sms to \+4915112345678: out of gammu"), 1, "as the network saw it")
        bench.gammu("sendsms", "TEXT", OWN_NUMBER, "-text", LONG, "-len", "400")
        until(lambda: bench.transcript.count(r"-- sms from \+8613912345678") == 2, 10, "both parts to come back")
        told = bench.gammu("geteachsms")
        check(LONG.strip() in told, "what came back is what was sent")


def gammu_sets_the_clock(directory):
    """gammu reads and sets the clock"""
    with Bench(directory) as bench:
        check("2004" in bench.gammu("getdatetime"), "it begins in 2004")
        bench.gammu("setdatetime")
        check(time.strftime("%Y") in bench.gammu("getdatetime"), "it is the year of this machine")


def smsd_in_and_out(directory):
    """smsd gives the PIN, fetches a message, deletes it, and sends one"""
    with Bench(directory, "--pin", "1234", "--power-on", "--boot-time", "1", "--sms-time", "0.3",
               "--sms", "+491701234567=Hello from the SIM") as bench:
        spool = os.path.join(directory, "spool")
        for name in ("outgoing", "checked", "incoming", "failed", "sent"):
            os.makedirs(os.path.join(spool, name))
        config = os.path.join(spool, "smsd.conf")
        with open(config, "w") as file:
            file.write(f"""devices = GSM1
outgoing = {spool}/outgoing
checked = {spool}/checked
incoming = {spool}/incoming
failed = {spool}/failed
sent = {spool}/sent
infofile = {spool}/running
pidfile = {spool}/pid
logfile = {spool}/log
loglevel = 7
delaytime = 1
[GSM1]
device = {bench.tty}
incoming = yes
baudrate = 115200
rtscts = no
pin = 1234
""")
        with open(os.path.join(spool, "outgoing", "one"), "w") as file:
            file.write("To: 4915112345678\nAlphabet: UTF\n\nGrüße aus smsd\n")
        smsd = Process("smsd", ["smsd", "-c", config, "-t"], directory)
        try:
            until(lambda: os.listdir(f"{spool}/incoming") and os.listdir(f"{spool}/sent"), 60, "a message each way")
            equal(bench.transcript.count(r"-> AT\+CPIN=\"1234\""), 1, "the PIN was given")
            with open(os.path.join(spool, "incoming", os.listdir(f"{spool}/incoming")[0]), errors="replace") as file:
                came = file.read()
            equal(field(came, "From"), "491701234567", "from")
            check("Hello from the SIM" in came, "the text that came")
            equal(bench.transcript.count("-- sms to .*: Gr"), 1, "the text that went")
            equal(os.listdir(f"{spool}/failed"), [], "failed")
            with open(f"{spool}/log") as file:
                log = file.read()
            check("Signal Strength Indicator: (22,0) -69 dBm" in log, "it reads the signal")
            check("Modem is registered to the network" in log, "it sees the registration")
        finally:
            smsd.stop(timeout=30)


def chat_dials(directory):
    """chat's script as pppd runs it: there is no PPP, which is NO CARRIER"""
    with Bench(directory) as bench:
        script = ["ABORT", "ERROR", "", "ATZ", "OK", "ATQ0 V1 E1 S0=0 &C1", "OK", "AT+CSQ", "+CSQ: 22,0", "", "OK",
                  "ATDT*99#", "NO CARRIER", ""]
        tty = os.open(bench.tty, os.O_RDWR | os.O_NOCTTY)
        try:
            subprocess.run(["stty", "raw", "-echo"], stdin=tty, check=True)
            ended = subprocess.run(["chat", "-v", "-s", "-t", "5", *script], stdin=tty, stdout=tty, capture_output=False,
                                   stderr=subprocess.PIPE, timeout=60)
        finally:
            os.close(tty)
        with open(os.path.join(directory, "chat.log"), "wb") as file:
            file.write(ended.stderr)
        equal(ended.returncode, 0, "exit code of chat")


def minicom_initializes(directory):
    """minicom's old init string is answered OK, and its user types to the module"""
    with Bench(directory) as bench:
        with open(os.path.join(directory, ".minirc.dfl"), "w") as file:
            file.write("pu minit            ~^M~AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0^M\n")
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        minicom = subprocess.Popen(["minicom", "-D", bench.tty, "-b", "115200"], stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True, env={**os.environ, "TERM": "vt100", "HOME": directory})
        os.close(slave)
        os.set_blocking(master, False)
        try:
            def said(pattern):
                with contextlib.suppress(BlockingIOError, OSError):
                    while os.read(master, 65536):
                        pass  # its screen
                return bench.transcript.count(pattern)
            until(lambda: said(r"-> AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0\n.*<- OK"), 20, "the init string and its OK")
            os.write(master, b"ATI\r")
            until(lambda: said("<- Quectel_MC60"), 20, "ATI, typed by hand")
            check(True, "the init string is OK, and ATI is answered")
        finally:
            minicom.kill()
            minicom.wait()
            os.close(master)


SCENARIOS = [gammu_identifies, gammu_reads, gammu_sends, gammu_sets_the_clock, smsd_in_and_out, chat_dials, minicom_initializes]


def log_directory():
    wanted = os.environ.get("QIMUX_LOGS") or tempfile.mkdtemp(prefix="qimux-host-")
    for scenario in SCENARIOS:
        shutil.rmtree(os.path.join(wanted, scenario.__name__), ignore_errors=True)
    return wanted


def main():
    missing = [name for name in PROGRAMS if not shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    if missing:
        note(f"not installed: {', '.join(missing)}")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    logs = log_directory()
    failed = []
    for scenario in SCENARIOS:
        print(f"{scenario.__name__}: {scenario.__doc__}", flush=True)
        begin = time.monotonic()
        try:
            scenario(os.path.join(logs, scenario.__name__))
        except Exception as error:  # the others still have something to tell
            print(f"    FAILED {error}", flush=True)
            failed.append(scenario.__name__)
        print(f"    {time.monotonic() - begin:.1f} s", flush=True)
    print(f"{len(failed)} failed: {', '.join(failed)}; logs are in {logs}" if failed else "all scenarios passed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
