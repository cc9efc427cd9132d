"""A test runs as the first process of its own mount and process namespace.

So it can be killed at any moment and the kernel ends every program of it and takes every network namespace,
TUN, file below /run and mount away; and two tests never see each other's.
"""

import os
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
_INSIDE = "QIMUX_LAB_INSIDE"


def why_not():
    """The reason why this machine cannot run a lab, or None."""
    if os.geteuid() != 0:
        return "not root"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    for program in ("unshare", "nsenter", "ip"):
        if not any(os.access(os.path.join(d, program), os.X_OK) for d in _path()):
            return f"no {program}"
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True).returncode:
        return "namespaces cannot be made here"
    return None


def enter():
    """Returns inside the namespaces, or does not return."""
    os.environ["PATH"] = ":".join(_path())
    if os.environ.get(_INSIDE):
        _furnish()
        return
    reason = why_not()
    if reason:
        print(f"SKIPPED: {reason}", flush=True)
        # Nobody reads a skip in CI; there the machine has to be able to.
        sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                          "--propagation", "private", "/usr/bin/python3", "-B", *sys.argv])


def bind(content, target):
    """Shows `content` as the file `target`, here only. One that is a link to below /run is made there: that is ours."""
    target = os.path.realpath(target)
    if not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w"):
            pass
    mode = os.stat(target).st_mode
    with tempfile.NamedTemporaryFile("w", dir="/run", delete=False) as file:
        file.write(content)
    os.chmod(file.name, mode)
    subprocess.run(["mount", "--bind", file.name, target], check=True)


def _path():
    path = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    return path + [d for d in ("/usr/sbin", "/sbin") if d not in path]


def _furnish():
    # The first process of a process namespace ignores what it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    os.makedirs("/run/netns")
    # Pseudo terminals of its own: the name of one that has just gone is soon that of somebody else's module.
    subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", "/dev/pts"], check=True)
    subprocess.run(["mount", "--bind", "/dev/pts/ptmx", "/dev/ptmx"], check=True)
