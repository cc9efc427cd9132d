"""ping gets real echo replies, or none."""

import re

from lab import check, equal, module_only, run, within


def answers(lab):
    """Three of three, in the time that the network takes"""
    ended = lab.gateway.run(["ping", "-n", "-c", "3", "-W", "10", lab.SERVER], text=True)
    equal(ended.returncode, 0, "exit code of ping")
    check("3 packets transmitted, 3 received" in ended.stdout, "3 packets transmitted, 3 received")
    if not lab.direct:
        times = [float(t) for t in re.findall(r"time=([\d.]+) ms", ended.stdout)]
        within(min(times), lab.rtt * 0.9, lab.rtt + 1500, "fastest answer", "ms")
        check(lab.transcript.count(rf'-> AT\+QPING="{lab.SERVER}"') >= 1, "it was the module that asked")


def large(lab):
    """The program's own payload comes back: ping compares it"""
    ended = lab.gateway.run(["ping", "-n", "-c", "1", "-W", "10", "-s", "1000", "-p", "0a0d1a1b", lab.SERVER], text=True)
    equal(ended.returncode, 0, "exit code of ping")
    check("wrong data" not in ended.stdout, "the payload is the same")


@module_only
def the_gateway(lab):
    """The gateway's own address answers by itself"""
    ended = lab.gateway.run(["ping", "-n", "-c", "1", "-W", "2", lab.DNS], text=True)
    equal(ended.returncode, 0, "exit code of ping")


def silence(lab):
    """What does not answer is never made to"""
    ended = lab.gateway.run(["ping", "-n", "-c", "2", "-W", "12", lab.HOLE], text=True)
    equal(ended.returncode, 1, "exit code of ping")
    check(" 0 received" in ended.stdout, "0 received")
    check(f"bytes from {lab.HOLE}" not in ended.stdout, "no echo reply")


if __name__ == "__main__":
    run(({}, [answers, large, the_gateway, silence]))
