"""The scenarios themselves, proved where no module is in the way: over a plain veth they all have to pass."""

import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    os.environ["QIMUX_LAB"] = "direct"
    logs = os.environ.get("QIMUX_LOGS")
    failed, skipped = [], []
    for path in sorted(glob.glob(f"{HERE}/*_test.py")):
        name = os.path.basename(path).removesuffix("_test.py")
        if name == "direct":
            continue
        if logs:
            os.environ["QIMUX_LOGS"] = f"{logs}/{name}"
        ended = subprocess.run(["/usr/bin/python3", "-B", path], capture_output=True, text=True)
        print(f"{name}: {ended.stdout.strip().splitlines()[-1:]}", flush=True)
        if ended.returncode == 77:
            skipped.append(name)
        elif ended.returncode:
            failed.append(name)
            print(ended.stdout, ended.stderr, flush=True)
    sys.exit(1 if failed else 77 if skipped else 0)


if __name__ == "__main__":
    main()
