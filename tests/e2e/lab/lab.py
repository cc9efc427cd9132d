"""The three namespaces, the simulated module between two of them, and the daemon.

    app (a LAN host) --veth-- gateway (the machine with the module) --qimuxd, tty, qimux-sim-- internet

The internet's addresses are on its loopback; qimux-sim runs there, so its sockets reach the real servers.
"""

import contextlib
import json
import os
import shlex
import shutil
import socket
import threading

from . import config, direct, isolation, service
from .checks import Failed, check
from .namespaces import Namespace
from .process import Process
from .transcript import Transcript
from .waiting import until

BUILD = os.environ.get("QIMUX_BUILD", os.path.join(os.path.dirname(__file__), "../../../build/default"))
# A directory: every daemon is captured there, for qimux-replay to be tried on all that the tests do.
CAPTURES = os.environ.get("QIMUX_CAPTURES")
WRAPPER = shlex.split(os.environ.get("QIMUX_WRAPPER", ""))


class Lab:
    SERVER = "198.51.100.1"
    SERVERS = [f"198.51.100.{n}" for n in range(1, 21)] + [f"203.0.113.{n}" for n in range(1, 11)]
    HOLE = "203.0.113.130"  # 203.0.113.128/25 takes packets and never answers
    UNROUTED = "192.0.2.1"  # the internet knows no way there
    GATEWAY = "10.64.64.1"
    DNS = "10.64.64.2"
    APP = "192.168.77.2"
    LINK = "/run/qimux-lab/gsm0"
    CONTROL = service.CONTROL if service.WANTED else "/run/qimux-lab/control.sock"
    SIM_CONTROL = "/run/qimux-lab/sim.sock"
    # New for each laboratory: what an earlier daemon remembers (a refused PIN) ends with it.
    STATE = service.STATE if service.WANTED else "/run/qimux-lab/state"

    def __init__(self, log_dir, baud=115200, rtt=300, sim=(), hosts=(), settings=None, start=True, log_level="debug",
                 daemon=()):
        """`settings` are tables of the daemon's configuration, `hosts` (name, address) pairs of the module's
        resolver, `sim` more arguments of qimux-sim, `daemon` of qimuxd. start=False: only the namespaces, the scenario does the rest."""
        self.direct = os.environ.get("QIMUX_LAB") == "direct"
        self.log_dir = log_dir
        self.baud, self.rtt, self.sim_arguments, self.hosts, self.settings = baud, rtt, sim, hosts, settings or {}
        self.autostart, self.log_level, self.daemon_arguments = start, log_level, daemon
        self.sim = self.daemon = self.transcript = self.manager = None
        self.captures = 0
        self._scenario_things = []

    def __enter__(self):
        os.makedirs(os.path.dirname(self.LINK), exist_ok=True)
        if not service.WANTED:
            shutil.rmtree(self.STATE, ignore_errors=True)
            os.makedirs(self.STATE)
        self._build()
        if service.WANTED:
            service.furnish(BUILD)
            self.manager = service.Manager(self.log_dir)
        isolation.bind(f"nameserver {self.DNS}\noptions timeout:20 attempts:1\n", "/etc/resolv.conf")
        if self.direct:
            direct.join(self)
        elif self.autostart:
            self.start_sim()
            self.start_daemon()
            self.wait_online()
        return self

    def __exit__(self, kind, *_):
        try:
            for stop in (self.stop_daemon, self.stop_sim):
                code = stop()
                if code is not None and not kind:
                    check(code == 0, f"exit code of the {stop.__name__.removeprefix('stop_')} is 0 (it is {code})")
        finally:
            self.end_scenario()
            if self.manager:
                self.manager.close()
            for namespace in (self.app, self.gateway, self.internet):
                namespace.remove()

    def _build(self):
        self.app, self.gateway, self.internet = (Namespace(n) for n in ("app", "gateway", "internet"))
        self.gateway.ip("link", "add", "lan", "type", "veth", "peer", "name", "eth0", "netns", "app")
        self.gateway.ip("addr", "add", "192.168.77.1/24", "dev", "lan")
        self.app.ip("addr", "add", f"{self.APP}/24", "dev", "eth0")
        self.gateway.ip("link", "set", "lan", "up")
        self.app.ip("link", "set", "eth0", "up")
        self.app.ip("route", "add", "default", "via", "192.168.77.1")
        self.gateway.sysctl("net.ipv4.ip_forward", "1")
        for address in self.SERVERS:
            self.internet.ip("addr", "add", f"{address}/32", "dev", "lo")
        self.internet.ip("link", "add", "hole", "type", "veth", "peer", "name", "bottom")
        self.internet.ip("link", "set", "hole", "arp", "off", "up")
        self.internet.ip("link", "set", "bottom", "up")
        self.internet.ip("route", "add", "203.0.113.128/25", "dev", "hole", "src", self.SERVER)

    # The module and the daemon

    def start_sim(self):
        argv = [f"{BUILD}/qimux-sim", "--link", self.LINK, "--baud", str(self.baud), "--rtt", str(self.rtt),
                "--control", self.SIM_CONTROL, "--transcript", f"{self.log_dir}/transcript", "--seed", "1"]
        for option, usual in (("--activation-time", "0.34"), ("--deactivation-time", "0.5"), ("--command-latency", "5")):
            argv += [] if option in self.sim_arguments else [option, usual]
        # The module's ping knows who is there by what it was told.
        argv += ["--map", f"{self.SERVER}/32={self.SERVER}"]
        for name in dict(self.hosts):
            argv += ["--host", f"{name}={','.join(a for n, a in self.hosts if n == name)}"]
        self.sim = Process("qimux-sim", self.internet.command([*argv, *self.sim_arguments]), self.log_dir)
        until(lambda: os.path.exists(self.LINK) or not self.sim.alive(), 10, "the module's tty")
        if self.manager:
            service.share(self.SIM_CONTROL)
        self.transcript = Transcript(f"{self.log_dir}/transcript")

    def stop_sim(self):
        sim, self.sim = self.sim, None
        return sim and sim.stop()

    def start_daemon(self):
        path = "/run/qimux-lab/qimuxd.toml"
        with open(path, "w") as file:
            file.write(config.toml(self._settings()))
        argv = [*WRAPPER, f"{BUILD}/qimuxd", "--config", path, "--log-level", self.log_level,
                *self.daemon_arguments]
        if self.manager:
            self.daemon = service.Daemon(self.manager, argv[len(WRAPPER) + 1:], self.log_dir)
            return
        if CAPTURES and "--capture" not in self.daemon_arguments:
            argv += ["--capture", os.path.join(CAPTURES, f"{os.path.basename(self.log_dir)}-{self.captures}.capture"),
                     "--capture-limit", "60M"]
            self.captures += 1
        argv = ["env", f"STATE_DIRECTORY={self.STATE}", *argv]
        self.daemon = Process("qimuxd", self.gateway.command(argv), self.log_dir)

    def stop_daemon(self):
        daemon, self.daemon = self.daemon, None
        return daemon and daemon.stop(timeout=60)

    def _settings(self):
        base = {"serial": {"device": self.LINK, "baud": self.baud}, "module": {"apn": "internet"},
                "control": {"socket": self.CONTROL, "group": "qimux" if self.manager else ""}}
        return config.merged(base, self.settings)

    def ctl(self, *verb, timeout=60):
        argv = [f"{BUILD}/qimuxctl", "--socket", self.CONTROL, *verb]
        return self.gateway.run(argv, text=True, timeout=timeout)

    def wait_online(self, timeout=60):
        until(lambda: os.path.exists(self.CONTROL) or not self.daemon.alive(), 30, "the control socket")
        if not self.daemon.alive():
            raise Failed(f"qimuxd ended with {self.daemon.popen.returncode}")
        ended = self.ctl("wait-online", "--timeout", str(timeout), timeout=timeout + 10)
        if ended.returncode:
            raise Failed(f"not online after {timeout} s: {ended.stdout}{ended.stderr}")

    def status(self):
        ended = self.ctl("--json", "status")
        if ended.returncode:
            raise Failed(f"qimuxctl status: {ended.returncode} {ended.stderr}")
        return json.loads(ended.stdout)

    def taken(self):
        """How many of the module's six sockets are in somebody's hands."""
        return sum(1 for s in self.status()["sockets"] if s["remote"])

    def fault(self, verb):
        """One line for the module's control socket."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.SIM_CONTROL)
            control.sendall(verb.encode() + b"\n")
            control.settimeout(5)
            return control.recv(200).decode()

    # What a scenario starts ends with it

    def start(self, namespace, name, argv, **more):
        return self.keep(Process(name, namespace.command(argv), self.log_dir, **more))

    def connect(self, port, address=SERVER, namespace=None, timeout=60):
        return self.keep((namespace or self.gateway).connect((address, port), timeout))

    def socket(self, kind=socket.SOCK_STREAM, namespace=None, timeout=60):
        return self.keep((namespace or self.gateway).socket(kind, timeout))

    def serve(self, port, handler, address="0.0.0.0"):
        """Calls handler(connection) on a thread of its own for each that connects to the internet's `port`."""
        listener = self.keep(self.internet.listen((address, port)))

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(120)
                self.keep(connection)
                threading.Thread(target=_quietly, args=(handler, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener

    def keep(self, thing):
        """`thing` is closed (a Process: ended) when the scenario is over."""
        self._scenario_things.append(thing)
        return thing

    def end_scenario(self):
        things, self._scenario_things = self._scenario_things, []
        for thing in reversed(things):
            if isinstance(thing, Process):
                if thing.alive():
                    thing.popen.kill()
                thing.wait()
                continue
            if isinstance(thing, socket.socket):
                with contextlib.suppress(OSError):
                    thing.shutdown(socket.SHUT_RDWR)  # ends a thread that waits in accept or recv
            thing.close()


def _quietly(handler, connection):
    try:
        handler(connection)
    except OSError:
        pass  # the scenario looks at what arrived, and says it better
