"""Whatever is lost: a state and a sentence in the status, a line in the log, and the right end for programs."""

import socket
import time

from lab import check, equal, module_only, run, until
from lab.trouble import QUICK, back, expect_trouble, online, page, reset, talk, trouble


@module_only
def context(lab):
    """+PDP DEACT: connections are reset, the context is activated again"""
    connection = talk(lab)
    lab.fault("pdp-deact")
    reset(connection, 10, "+PDP DEACT")
    back(lab)
    status = lab.status()
    equal(status["losses"]["context"], 1, "losses by context")
    equal(status["recoveries"]["reactivate"], 1, "reactivate")
    equal(status["last_recovery"]["step"], "reactivate", "the last step")
    equal(status["last_recovery"]["result"], "done", "its result")
    lab.daemon.wait_line(r"recovery: reactivate: done in", 5)


@module_only
def spontaneous_start(lab):
    """RDY out of the blue: connections are reset, the module is brought up"""
    connection = talk(lab)
    lab.fault("reboot")
    reset(connection, 10, "RDY")
    back(lab)
    equal(lab.status()["losses"]["restart"], 1, "losses by restart")


@module_only
def coverage(lab):
    """Coverage lost and back: the connection lives, a connect waits"""
    connection = talk(lab)
    lab.fault("deregister")
    expect_trouble(lab, "not_registered", ["antenna"])
    equal(lab.status()["link"], "registering", "link")
    waiting = lab.socket()
    waiting.setblocking(False)
    waiting.connect_ex((lab.SERVER, 7000))
    time.sleep(3)
    lab.fault("register")
    until(lambda: waiting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 and _connected(waiting), 20, "the connect")
    connection.sendall(b"again")
    back(lab)
    equal(lab.status()["losses"]["registration"], 0, "losses by registration")


def _connected(one):
    try:
        one.getpeername()
        return True
    except OSError:
        return False


@module_only
def roaming(lab):
    """A network that refuses the SIM"""
    connection = talk(lab)
    lab.fault("roaming-denied")
    reset(connection, 20, "roaming denied")
    expect_trouble(lab, "registration_denied", ["refuses this SIM"])
    lab.fault("register")
    back(lab)


@module_only
def credit(lab):
    """No credit: the activation is refused until there is some"""
    lab.fault("no-credit on")
    lab.fault("pdp-deact")
    expect_trouble(lab, "activation_refused", ["credit", 'module.apn is "internet"'])
    check(lab.status()["recoveries"]["restart"] == 0, "the module is not restarted for a second refusal")
    lab.fault("no-credit off")
    back(lab)


@module_only
def sim_card(lab):
    """The SIM is pulled out and put back: found at the module's next start"""
    connection = talk(lab)
    lab.fault("sim-removed")
    reset(connection, 10, "the SIM is gone")
    expect_trouble(lab, "sim_missing", ["NOT INSERTED"], 40)
    lab.fault("sim-inserted")
    back(lab, 150)
    check(lab.status()["recoveries"]["restart"] >= 1, "the module was restarted for it")


@module_only
def supply(lab):
    """A supply that breaks down three times"""
    lab.fault("under-voltage 3")
    expect_trouble(lab, "under_voltage", ["supply"])
    back_online = lambda: online(lab) and lab.status()["losses"]["power"] + lab.status()["losses"]["restart"] >= 3
    until(back_online, 150, "online after the third")
    page(lab)


@module_only
def names(lab):
    """Dead name servers: names fail with SERVFAIL, addresses go on"""
    lab.fault("dns-dead on")
    for n in range(3):
        ended = lab.gateway.run(["dig", "+tries=1", "+time=25", f"@{lab.DNS}", f"n{n}.example"], text=True)
        check("SERVFAIL" in ended.stdout, f"n{n}.example: SERVFAIL")
    expect_trouble(lab, "names_dead", ["name servers"], 40)
    page(lab)
    lab.fault("dns-dead off")
    lab.gateway.run(["dig", "+tries=1", "+time=25", f"@{lab.DNS}", "example.net"], text=True)
    until(lambda: trouble(lab) is None, 10, "no trouble")


if __name__ == "__main__":
    run(({"sim": QUICK}, [context, spontaneous_start, coverage, roaming, credit]),
        ({"sim": QUICK}, [supply]),
        ({"sim": QUICK}, [names]),
        ({"sim": QUICK}, [sim_card]))
