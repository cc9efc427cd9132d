"""A broker in the internet, and a subscriber behind the module that has to stay with it by itself."""

import subprocess

from .process import wait_listening
from .waiting import until

PORT = 1883
TOPIC = "cabinet/7"


class Broker:
    def __init__(self, lab):
        self._lab = lab
        path = "/run/qimux-lab/mosquitto.conf"
        with open(path, "w") as file:
            file.write(f"listener {PORT} {lab.SERVER}\nallow_anonymous true\n")
        self._process = lab.start(lab.internet, "mosquitto", ["mosquitto", "-v", "-c", path])
        wait_listening(lab.internet, PORT)

    def connections(self):
        """How often somebody has come, the publishers here not counted."""
        return self._process.log().count("as meter ")

    def wait_subscribed(self, timeout=60):
        self._process.wait_line("Sending SUBACK to meter", timeout)

    def publish(self, message):
        self._lab.internet.run(["mosquitto_pub", "-h", self._lab.SERVER, "-t", TOPIC, "-q", "1", "-m", message])


class Subscriber:
    """mosquitto_sub with a session that outlives its connections: what is published meanwhile comes later."""

    def __init__(self, lab, keepalive=10):
        argv = ["stdbuf", "-oL", "mosquitto_sub", "-h", lab.SERVER, "-t", TOPIC, "-q", "1", "-c", "-i", "meter",
                "-k", str(keepalive)]
        self._messages = f"{lab.log_dir}/messages"
        with open(self._messages, "wb") as got:
            self.process = lab.start(lab.gateway, "mosquitto_sub", argv, stdout=got, stdin=subprocess.DEVNULL)

    def wait(self, message, timeout):
        until(lambda: message in self.messages(), timeout, f"the message {message!r}", interval=0.1)

    def messages(self):
        with open(self._messages) as file:
            return file.read().splitlines()
