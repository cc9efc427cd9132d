"""The real systemd-networkd in the gateway's namespace, with files of the test's own."""

import os
import shutil
import subprocess

from .process import Process

PROGRAM = "/lib/systemd/systemd-networkd"
NETWORKS = "/run/networks"  # its .network files


def start(lab):
    """Without a bus and without udev: with /sys to read only it waits for neither. Ends with the scenario."""
    shutil.rmtree("/run/systemd/netif", ignore_errors=True)
    for directory in ("links", "leases", "lldp"):
        os.makedirs(f"/run/systemd/netif/{directory}")
    subprocess.run(["chown", "-R", "systemd-network:systemd-network", "/run/systemd/netif"], check=True)
    inside = "mount -t sysfs -o ro sysfs /sys; mount -t tmpfs t /etc/systemd/network; mount -t tmpfs t /lib/systemd/network; " \
             f"cp {NETWORKS}/* /lib/systemd/network/; exec {PROGRAM}"
    running = Process("networkd", lab.gateway.command(["unshare", "--mount", "/bin/sh", "-c", inside]), lab.log_dir)
    lab.keep(running)
    running.wait_line("Enumeration completed", 20)
    return running
