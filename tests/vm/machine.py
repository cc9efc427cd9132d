"""A virtual machine: its process, its hardware (QMP) and a shell in it (the agent on a virtio port)."""

import base64
import json
import os
import shutil
import socket
import subprocess
import time

from waiting import Failed, until


class Answer:
    def __init__(self, code, output):
        self.code, self.output = code, output


class Monitor:
    """QMP: plugs and pulls devices."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        until(lambda: self._connect(path), 20, "the machine's monitor")
        self.lines = self.socket.makefile("r")
        self.lines.readline()  # the greeting
        self.call("qmp_capabilities")

    def _connect(self, path):
        try:
            self.socket.connect(path)
            return True
        except OSError:
            return False

    def call(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:  # events come in between
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise Failed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


class Machine:
    BOOT_LIMIT = 900  # seconds on a machine that builds beside it; 30 on an idle one

    def __init__(self, build, name):
        """`build` has disk.img, vmlinuz and initrd. The disk is kept as it is: what is written goes into a file of this machine."""
        self.build, self.directory = build, os.path.join(build, "run", name)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.plugged = 0
        self.process = self.monitor = self.agent = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", os.path.abspath(f"{self.build}/disk.img"),
                        self.path("disk.qcow2")], check=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path("agent"))
        listener.listen(1)
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1024", "-smp", "1", "-nodefaults", "-display", "none",
             "-kernel", f"{self.build}/vmlinuz", "-initrd", f"{self.build}/initrd",
             "-append", "root=/dev/vda rw console=ttyS0 systemd.show_status=1 quiet",
             "-serial", f"file:{self.path('console')}", "-qmp", f"unix:{self.path('qmp')},server=on,wait=off",
             "-drive", f"file={self.path('disk.qcow2')},if=virtio,cache=unsafe", "-device", "qemu-xhci,id=usb",
             "-device", "virtio-serial", "-chardev", f"socket,id=agent,path={self.path('agent')}",
             "-device", "virtserialport,chardev=agent,name=agent", "-device", "virtio-rng-pci"],
            stdin=subprocess.DEVNULL, stdout=open(self.path("qemu.log"), "w"), stderr=subprocess.STDOUT)
        listener.settimeout(30)
        self.agent, _ = listener.accept()
        listener.close()
        self.answers = self.agent.makefile("rb")
        self.monitor = Monitor(self.path("qmp"))
        self.await_agent()

    def await_agent(self):
        """A boot ends with the agent's word."""
        self.agent.settimeout(self.BOOT_LIMIT)
        try:
            if self.answers.readline().strip() == b"ready":
                return
        except TimeoutError:
            pass
        raise Failed("the machine did not boot: " + self.path("console"))

    def run(self, command, limit=120):
        """A shell command in the machine, as root."""
        self.agent.settimeout(limit)
        self.agent.sendall(base64.b64encode(command.encode()) + b"\n")
        try:
            code, _, output = self.answers.readline().decode().strip().partition(" ")
        except TimeoutError:
            raise Failed(f"no end within {limit} s: {command}") from None
        return Answer(int(code), base64.b64decode(output).decode(errors="replace").rstrip("\n"))

    def succeed(self, command, limit=120):
        answer = self.run(command, limit)
        if answer.code != 0:
            raise Failed(f"{command}: exit code {answer.code}: {answer.output[-2000:]}")
        return answer.output

    def until(self, command, limit, what=None):
        """Until the command ends with 0; its last output."""
        last = None

        def once():
            nonlocal last
            last = self.run(command)
            return last.code == 0
        until(once, limit, what or command, pause=1, detail=lambda: last and last.output[-2000:])
        return last.output

    def reboot(self):
        self.agent.sendall(base64.b64encode(b"systemctl reboot") + b"\n")
        self.agent.settimeout(60)
        self.answers.readline()
        self.await_agent()

    def plug(self, sim, port=1, serial="QMX00017"):
        """A USB serial adapter with the simulated module behind it. What it is called here is the number of the plugging."""
        self.plugged += 1
        name = f"adapter{self.plugged}"
        address = {"type": "unix", "data": {"path": sim}}
        backend = {"type": "socket", "data": {"addr": address, "server": False}}
        # The module takes one line at a time, and listens again when it has noticed the end of the last one.
        until(lambda: self._succeeds("chardev-add", id=f"line{name}", backend=backend), 20, "the module's line can be had")
        self.monitor.call("device_add", driver="usb-serial", id=name, chardev=f"line{name}", bus="usb.0", port=str(port),
                          serial=serial, **{"always-plugged": True})
        return name

    def pull(self, name):
        self.monitor.call("device_del", id=name)
        until(lambda: self._succeeds("chardev-remove", id=f"line{name}"), 20, f"{name} is gone")

    def _succeeds(self, command, **arguments):
        try:
            self.monitor.call(command, **arguments)
            return True
        except Failed:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
