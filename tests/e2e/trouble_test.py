"""What stands in the way of coming up is said to people; what can be mended without them is."""

import os

from lab import check, equal, module_only, run
from lab.trouble import QUICK, back, expect_trouble, page, reset, start_daemon, talk


@module_only
def sim_needs_pin(lab):
    """A PIN that nobody configured"""
    lab.start_sim()
    start_daemon(lab)
    expect_trouble(lab, "sim_pin_needed", ["module.pin"])


@module_only
def no_sim(lab):
    """No SIM at all"""
    lab.start_sim()
    start_daemon(lab)
    expect_trouble(lab, "sim_missing", ["insert it"], 60)


@module_only
def wrong_apn(lab):
    """An access point that the network does not know"""
    lab.start_sim()
    start_daemon(lab)
    expect_trouble(lab, "activation_refused", ["intrenet"])


@module_only
def other_rate(lab):
    """A module at 9600 baud: it is found, and told to use ours"""
    lab.start_sim()
    lab.fault("baud 9600")
    lab.start_daemon()
    lab.wait_online()
    equal(lab.status()["recoveries"]["baud_hunt"], 1, "baud_hunt")
    page(lab)


RESET = "/run/qimux-lab/reset"


@module_only
def reset_line(lab):
    """A module that hangs for ever: reset by module.reset"""
    with open(RESET, "w") as script:
        script.write(f"#!/bin/sh\necho reboot | socat - UNIX-CONNECT:{lab.SIM_CONTROL}\n")
    os.chmod(RESET, 0o755)
    connection = talk(lab)
    lab.fault("power-off")
    connection.sendall(b"into the void")
    reset(connection, 90, "a dead module")
    back(lab, 120)
    check(lab.status()["recoveries"]["reset_line"] >= 1, "the reset line was used")
    lab.daemon.wait_line(r"recovery: reset_line: done in", 5)


@module_only
def no_device(lab):
    """A device that is not there"""
    start_daemon(lab)
    expect_trouble(lab, "device_missing", ["gsm0", "No such file"])
    lab.start_sim()
    back(lab)


if __name__ == "__main__":
    run(({"start": False, "sim": [*QUICK, "--pin", "1234"]}, [sim_needs_pin]),
        ({"start": False, "sim": [*QUICK, "--no-sim"]}, [no_sim]),
        ({"start": False, "sim": [*QUICK, "--apn", "internet"], "settings": {"module": {"apn": "intrenet"}}}, [wrong_apn]),
        ({"start": False, "sim": [*QUICK, "--check-rate"]}, [other_rate]),
        ({"sim": QUICK, "settings": {"module": {"reset": f"command:{RESET}"}}}, [reset_line]),
        ({"start": False, "sim": QUICK}, [no_device]))
