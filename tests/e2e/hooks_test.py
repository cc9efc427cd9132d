"""Programs of the administrator's are run when the link comes and goes."""

import os
import time

from lab import check, equal, module_only, run, until, within

HOOK = "/run/qimux-lab/hook"
CALLS = "/run/qimux-lab/hook-calls"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)


def calls():
    if not os.path.exists(CALLS):
        return []
    with open(CALLS) as file:
        return file.read().splitlines()


@module_only
def first_up(lab):
    """on_up is told what there is to know, its words reach no shell, and what it says is in the log"""
    os.makedirs(os.path.dirname(HOOK), exist_ok=True)
    write(HOOK, f"""#!/bin/sh
echo "$1 $2 event=$QIMUX_EVENT interface=$QIMUX_INTERFACE address=$QIMUX_ADDRESS dns=$QIMUX_DNS link=$QIMUX_LINK_ADDRESS" >> {CALLS}
echo "operator is $QIMUX_OPERATOR"
exit 3
""")
    lab.start_sim()
    lab.start_daemon()
    lab.wait_online()
    until(calls, 20, "the hook")
    address = lab.status()["address"]
    equal(calls(), [f"one $HOME; event=up interface=gsm0 address=10.64.64.1 dns=10.64.64.2 link={address}"], "told")
    lab.daemon.wait_line(r"hook on_up: operator is \S")
    lab.daemon.wait_line(f"hook on_up: {HOOK}: exit code 3")
    check(True, "its output and its failure are in the log")


@module_only
def losses(lab):
    """A loss of the context runs on_down, its return on_up, in that order"""
    lab.fault("pdp-deact")
    until(lambda: len(calls()) >= 3, 60, "a down and an up")
    equal([c.split("event=")[1].split()[0] for c in calls()], ["up", "down", "up"], "events")
    equal(lab.ctl("wait-online", "--timeout", "30").returncode, 0, "online: wait-online")


@module_only
def at_the_end(lab):
    """SIGTERM runs on_down, and waits for it no longer than the drain"""
    equal(lab.stop_daemon(), 0, "exit code")
    equal(calls()[-1].split("event=")[1].split()[0], "down", "the last event")
    write(HOOK, f"#!/bin/sh\necho began $QIMUX_EVENT >> {CALLS}\nsleep 600\n")
    lab.start_daemon()
    lab.wait_online()
    until(lambda: calls()[-1] == "began up", 20, "the hook")
    begin = time.monotonic()
    equal(lab.stop_daemon(), 0, "exit code with a hook that does not end")
    within(time.monotonic() - begin, 0, 15, "it took")
    equal(lab.gateway.run(["pgrep", "-f", "sleep 600"], text=True).stdout, "", "processes left behind")
    equal(lab.stop_sim(), 0, "exit code of qimux-sim")


@module_only
def at_the_end_of_the_device(lab):
    """With serial.on_missing = "exit" on_down runs to its end when the device is pulled, and then the daemon ends"""
    write(HOOK, f"#!/bin/sh\nsleep 0.5\necho ended $QIMUX_EVENT >> {CALLS}\n")
    lab.settings["serial"] = {"on_missing": "exit"}
    before = len(calls())
    lab.start_sim()
    lab.start_daemon()
    lab.wait_online()
    until(lambda: calls()[before:] == ["ended up"], 20, "the hook")
    os.remove(lab.LINK)
    lab.sim.popen.kill()
    lab.stop_sim()
    daemon, lab.daemon = lab.daemon, None
    equal(daemon.wait(20), 3, "exit code")
    equal(calls()[before:], ["ended up", "ended down"], "what the hook has done")
    begin = time.monotonic()
    lab.start_daemon()
    daemon, lab.daemon = lab.daemon, None
    equal(daemon.wait(20), 3, "exit code without a device from the start")
    within(time.monotonic() - begin, 0, 5, "it took")


if __name__ == "__main__":
    run(({"start": False, "settings": {"hooks": {"on_up": f"{HOOK} one $HOME;", "on_down": f"{HOOK} two"}}},
         [first_up, losses, at_the_end, at_the_end_of_the_device]))
