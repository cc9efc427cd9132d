"""Runs a test's scenarios and tells how they ended."""

import functools
import glob
import os
import subprocess
import sys
import tempfile
import time
import traceback

from . import isolation
from .checks import Failed, note
from .lab import Lab


def module_only(scenario):
    """A scenario about the module: the plain veth of QIMUX_LAB=direct has none."""
    @functools.wraps(scenario)
    def guarded(lab):
        if lab.direct:
            note("not in direct mode")
            return
        scenario(lab)
    return guarded


def run(*stages):
    """Each stage is (options of the Lab, [scenarios]). Ends the process: 0, 1 or 77."""
    isolation.enter()
    log_dir = log_directory()
    failed = []
    for number, (options, scenarios) in enumerate(stages):
        stage_dir = os.path.join(log_dir, str(number))
        os.makedirs(stage_dir, exist_ok=True)
        failed += _stage(Lab(log_dir=stage_dir, **options), scenarios)
        if failed:
            _print_logs(stage_dir)
            break
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "all scenarios passed", flush=True)
    sys.exit(1 if failed else 0)


def _stage(lab, scenarios):
    failed = []
    try:
        with lab:
            for scenario in scenarios:
                if not _scenario(scenario, lab):
                    failed.append(scenario.__name__)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        traceback.print_exc(file=sys.stdout)
        failed.append(f"the lab itself ({error})")
    return failed


def _scenario(scenario, lab):
    print(f"{scenario.__name__}: {(scenario.__doc__ or '').strip()}", flush=True)
    begin = time.monotonic()
    try:
        scenario(lab)
    except Failed as error:
        print(f"    FAILED {error}", flush=True)
        where = traceback.extract_tb(error.__traceback__)
        print("".join(traceback.format_list([f for f in where if "_test.py" in f.filename])), flush=True)
        return False
    except Exception:  # a test that breaks has failed, and the others still have something to tell
        print("    FAILED", flush=True)
        traceback.print_exc(file=sys.stdout)
        return False
    finally:
        lab.end_scenario()
    print(f"    {time.monotonic() - begin:.1f} s", flush=True)
    return True


def log_directory():
    wanted = os.environ.get("QIMUX_LOGS")
    if not wanted:
        return tempfile.mkdtemp(prefix="qimux-lab-")
    os.makedirs(wanted, exist_ok=True)
    for old in glob.glob(os.path.join(wanted, "*", "*")):
        os.remove(old)
    return wanted


def _print_logs(log_dir, lines=60):
    print(f"\nlogs are in {log_dir}; the last {lines} lines of each:", flush=True)
    for path in sorted(glob.glob(os.path.join(log_dir, "*"))):
        with open(path, errors="replace") as file:
            tail = file.readlines()[-lines:]
        print(f"==== {os.path.basename(path)}", *(line.rstrip("\n")[:300] for line in tail), sep="\n", flush=True)
