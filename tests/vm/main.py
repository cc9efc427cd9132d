"""Runs the scenarios, prints the table."""

import os
import sys
import time
import traceback

import at_home
import fresh
from machine import Machine
from waiting import Failed
from world import World

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.join(ROOT, "build/vm")
PROGRAMS = os.environ.get("QIMUX_BUILD", os.path.join(ROOT, "build/default"))


class Report:
    def __init__(self):
        self.rows = []

    def add(self, name, result, seconds, note):
        self.rows.append((name, result, seconds, note))
        print(f"--- {name}: {result}, {seconds:.0f} s{': ' + note if note else ''}", flush=True)

    def table(self):
        width = max(len(row[0]) for row in self.rows)
        print(f"\n| {'scenario':{width}} | result | seconds | measured |\n| {'-' * width} | ------ | ------: | --- |")
        for name, result, seconds, note in self.rows:
            print(f"| {name:{width}} | {result:6} | {seconds:7.0f} | {note.splitlines()[0][:150] if note else ''} |")
        failed = sum(row[1] != "ok" for row in self.rows)
        print(f"\n{len(self.rows) - failed} passed, {failed} failed", flush=True)
        return failed


def run(chapter, wanted, report):
    """The chapter's scenarios, each on what the one before has left; those after the last wanted one are left out."""
    names = [s.__name__ for s in chapter.SCENARIOS]
    last = max((names.index(name) for name in wanted if name in names), default=None if wanted else len(names) - 1)
    if last is None:
        return
    directory = os.path.join(BUILD, "run", chapter.__name__)
    machine = Machine(BUILD, chapter.__name__)
    try:
        with World(PROGRAMS, directory) as world:
            for scenario in chapter.SCENARIOS[:last + 1]:
                begin = time.monotonic()
                try:
                    note, result = scenario(machine, world) or "", "ok"
                except Failed as error:
                    note, result = str(error), "FAILED"
                    look(machine, directory, scenario.__name__)
                except Exception:
                    note, result = traceback.format_exc(), "FAILED"
                report.add(scenario.__doc__.strip().rstrip("."), result, time.monotonic() - begin, note)
                if result != "ok" and scenario is chapter.SCENARIOS[0]:
                    return  # no machine
    finally:
        machine.stop()


def look(machine, directory, name):
    """What the machine has to say about a failure."""
    try:
        text = machine.succeed("journalctl -b --no-pager -n 120; ip address; ip route; qimuxctl status; systemctl --no-pager status 'qimuxd*'; "
                               "cat /etc/resolv.conf; ls -l /dev/gsm* /dev/ttyUSB*; true", 60)
    except (Failed, OSError) as error:
        text = str(error)
    with open(os.path.join(directory, f"{name}.failed"), "w") as file:
        file.write(text + "\n")


def main(wanted):
    chapters = [fresh, at_home]
    known = [s.__name__ for chapter in chapters for s in chapter.SCENARIOS]
    if wanted == ["--list"]:
        print("\n".join(known))
        return 0
    if unknown := set(wanted) - set(known):
        print(f"no such scenario: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 1
    report = Report()
    for chapter in chapters:
        run(chapter, wanted, report)
    return 1 if report.table() else 0


sys.exit(main(sys.argv[1:]))
