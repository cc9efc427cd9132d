"""module.reset: the line that reaches a module which nothing else does, and a line that could not be had."""

import os

from lab import Lab, check, equal, module_only, run, until
from lab.trouble import QUICK, online, page, reset, talk

SCRIPT = "/run/qimux-lab/emergency-off"


def write_script():
    """Does to the simulated module what EMERG_OFF does to a real one, and says what it was called with."""
    with open(SCRIPT, "w") as file:
        file.write("#!/bin/sh\n"
                   f"echo power-on | nc -N -U {Lab.SIM_CONTROL} > /dev/null && [ \"$*\" = '--pin 4' ]\n")
    os.chmod(SCRIPT, 0o755)


@module_only
def command(lab):
    """A module that is off comes back by the command of module.reset: nothing else could have done it"""
    write_script()
    lab.start_sim()
    lab.start_daemon()
    lab.wait_online()
    connection = talk(lab)
    starts = lab.status()["recoveries"]["reset_line"]
    lab.fault("power-off")
    ended = lab.ctl("reset", "--line", "--wait", "--timeout", "60", timeout=70)
    equal((ended.returncode, ended.stderr), (0, ""), "reset --line --wait")
    reset(connection, 10, "the line")
    status = lab.status()
    equal(status["recoveries"]["reset_line"], starts + 1, "reset_line")
    equal((status["last_recovery"]["step"], status["last_recovery"]["result"]), ("reset_line", "done"), "the last recovery")
    page(lab)


@module_only
def absent(lab):
    """A GPIO chip that is not there is told at the start, and in the way of nothing else"""
    lab.daemon.wait_line(r"module\.reset: gpio:gpiochip99:3: No such file or directory.*could not be reset", 5)
    check(online(lab), "online all the same")
    count = lab.status()["recoveries"]["reset_line"]
    lab.ctl("reset", "--line")
    until(lambda: lab.status()["recoveries"]["reset_line"] > count and online(lab), 60, "it was tried, and the link is back")
    lab.daemon.wait_line(r"recovery: reset_line: .*gpiochip99", 5)
    page(lab)


if __name__ == "__main__":
    run(({"start": False, "settings": {"module": {"reset": f"command:{SCRIPT} --pin 4"}}, "sim": QUICK}, [command]),
        ({"settings": {"module": {"reset": "gpio:gpiochip99:3"}}, "sim": QUICK}, [absent]))
