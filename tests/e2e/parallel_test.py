"""24 programs at once over six sockets."""

import subprocess

from lab import Web, check, equal, every_byte, module_only, note, pattern, run, sha256, until
from lab.process import elapsed

PROGRAMS = 24
CONTENT = {f"/{n}": pattern(3_000, seed=n) + every_byte(1_000) for n in range(PROGRAMS)}


def downloads(lab):
    """24 parallel downloads: all succeed, none is reset"""
    lab.keep(Web(lab, 80, CONTENT))

    def all_of_them():
        running = []
        for path in CONTENT:
            argv = lab.gateway.command(["curl", "-sS", "--fail", "--max-time", "170", f"http://{lab.SERVER}{path}"])
            running.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return [(p.communicate(timeout=180), p.returncode) for p in running]

    ended, seconds = elapsed(all_of_them)
    problems = [(code, error.decode().strip()) for (_, error), code in ended if code]
    equal(problems, [], "curls that failed")
    wrong = [path for ((out, _), _), (path, content) in zip(ended, CONTENT.items()) if sha256(out) != sha256(content)]
    equal(wrong, [], "files with a wrong sha256")
    note(f"{sum(map(len, CONTENT.values())) / seconds:.0f} bytes/s in sum, {seconds:.1f} s")


@module_only
def six_sockets_were_enough(lab):
    """The module opened 24 connections, each of them once, with its six indices"""
    equal(lab.transcript.count(r"-> AT\+QIOPEN="), PROGRAMS, "QIOPEN commands")
    equal(lab.transcript.count(r"<- [0-5], CONNECT OK"), PROGRAMS, "CONNECT OK")
    equal(lab.transcript.count(r"CONNECT FAIL"), 0, "CONNECT FAIL")
    used = [n for n in range(6) if lab.transcript.count(rf"-> AT\+QIOPEN={n},")]
    check(len(used) == 6, f"indices {used} were used: all six carried programs at the same time")
    until(lambda: lab.taken() == 0, 10, "every socket to be free again")
    check(True, "every socket is free again")


if __name__ == "__main__":
    run(({}, [downloads, six_sockets_were_enough]))
