#!/usr/bin/python3
"""Every verb and option of qimuxctl's help is completed, and nothing that is not there: bash's function is called,
zsh's file is read (and, where there is a zsh, parsed)."""

import os
import re
import shlex
import shutil
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
BASH = f"{ROOT}/completions/qimuxctl.bash"
ZSH = f"{ROOT}/completions/_qimuxctl"
CTL = sys.argv[1]
failed = 0


def same(what, found, wanted):
    global failed
    if found != wanted:
        failed += 1
        print(f"{what}: missing {sorted(wanted - found)}, too many {sorted(found - wanted)}")


def help_of(*verb):
    return subprocess.run([CTL, *verb, "--help"], check=True, capture_output=True, text=True).stdout


def options(text):
    return set(re.findall(r"^\s+(?:-\w,)?(--[a-z-]+)", text, re.M))


def verbs():
    listed = help_of().split("Subcommands:", 1)[1].split("Exit status:", 1)[0]
    return set(re.findall(r"^  ([a-z-]+) ", listed, re.M))


def bash(*words):
    """What is offered for the last of the words."""
    script = f"""source {shlex.quote(BASH)}
        COMP_WORDS=({' '.join(shlex.quote(w) for w in ('qimuxctl', *words))}); COMP_CWORD={len(words)}
        _qimuxctl; printf '%s\\n' "${{COMPREPLY[@]}}" """
    ended = subprocess.run(["bash", "-uc", script], check=True, capture_output=True, text=True)
    if ended.stderr:
        raise SystemExit(ended.stderr)
    return set(ended.stdout.split())


GLOBALS = options(help_of())
VERBS = verbs()

same("bash: verbs and global options", bash(""), VERBS | GLOBALS)
same("bash: verbs behind options", bash("--json", "--socket", "/tmp/x", "st"), {v for v in VERBS if v.startswith("st")})
for verb in VERBS:
    own = options(help_of(verb)) - {"--help"}
    same(f"bash: options of {verb}", bash(verb, "--"), own | GLOBALS)
same("bash: levels", bash("log-level", "d"), {"debug"})
same("bash: rates", bash("probe", "--baud", "11"), {"115200"})
same("bash: nothing behind a number", bash("usage", "--days", ""), set())

with open(ZSH) as file:
    text = file.read()
listed = text.split("verbs=(", 1)[1].split("\n  )", 1)[0]
same("zsh: verbs", set(re.findall(r"^    '([a-z-]+):", listed, re.M)), VERBS)
head = text.split("globals=(", 1)[1].split("\n  )", 1)[0]
same("zsh: global options", set(re.findall(r"(?<![(\w])(--[a-z]+)(?=[\[}])", head)), GLOBALS)
body = text.split("case $words[1] in", 1)[1]
for verb in VERBS:
    own = options(help_of(verb)) - {"--help"}
    part = re.search(rf"^        {re.escape(verb)}\)(.*?);;", body, re.M | re.S)
    found = set(re.findall(r"(--[a-z-]+)(?=\[)", part.group(1))) if part else set()
    same(f"zsh: options of {verb}", found, own)
zsh = shutil.which("zsh") or shutil.which(f"{ROOT}/build/unpacked/zsh/usr/bin/zsh")
if zsh:
    subprocess.run([zsh, "-n", ZSH], check=True)

print(f"{len(VERBS)} verbs, {failed} differences")
sys.exit(1 if failed else 0)
