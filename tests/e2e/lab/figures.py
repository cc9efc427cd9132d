"""What a running daemon holds: memory, descriptors, threads."""

import dataclasses
import os
import re


@dataclasses.dataclass(frozen=True)
class Figures:
    resident_kib: int
    descriptors: int
    threads: int


def figures(process):
    with open(f"/proc/{process.pid}/status") as file:
        text = file.read()

    def number(key):
        return int(re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE).group(1))
    return Figures(number("VmRSS"), len(os.listdir(f"/proc/{process.pid}/fd")), number("Threads"))


def descriptors(process):
    """What each of them is: "5 -> socket:[1234]"."""
    folder = f"/proc/{process.pid}/fd"
    return [f"{fd} -> {os.readlink(os.path.join(folder, fd))}" for fd in sorted(os.listdir(folder), key=int)]
