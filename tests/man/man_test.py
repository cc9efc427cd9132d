"""The manual says what the programs say: each option, verb, key and default, both ways round."""

import os
import re
import subprocess
import sys
import tomllib

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("QIMUX_BUILD", os.path.join(SOURCE, "build/default"))
PAGES = os.path.join(SOURCE, "man")
PROGRAMS = {"qimuxd": "qimuxd.8", "qimux-replay": "qimux-replay.1", "qimux-sim": "qimux-sim.1", "qimuxctl": "qimuxctl.1"}

failures = 0


def compare(what, manual, program):
    """Both are sets of what a reader could look for."""
    global failures
    for item in sorted(manual - program):
        failures += 1
        print(f"FAILED {what}: the manual has {item}, the program has not")
    for item in sorted(program - manual):
        failures += 1
        print(f"FAILED {what}: the program has {item}, the manual has not")
    if manual == program:
        print(f"ok {what}: {len(program)}")


def page(name):
    with open(os.path.join(PAGES, name), encoding="utf-8") as file:
        return file.read().splitlines()


def help_of(*argv):
    return subprocess.run([os.path.join(BUILD, argv[0]), *argv[1:], "--help"], capture_output=True, text=True, check=True).stdout


def options_of(text):
    """The long options that a --help lists, each once."""
    return {option for line in text.splitlines() if re.match(r" +-", line)
            for option in re.findall(r"--[a-z][a-z-]*", line.split("  ")[1])}


def listed_options(lines):
    """Those that the page describes: the tags of its lists, as `.It Fl -one , Fl -other Ar value`."""
    return {"-" + flag for line in lines if line.startswith(".It Fl") for flag in re.findall(r"(?:Fl|,) (-[a-z][a-z-]*)", line)}


def verbs():
    """Name and options of each verb of qimuxctl."""
    text = help_of("qimuxctl")
    names = re.findall(r"^  ([a-z][a-z-]*) {2,}", text.partition("Subcommands:")[2], re.MULTILINE)
    return {name: options_of(help_of("qimuxctl", name)) - {"--help"} for name in names}


def listed_verbs(lines):
    """A verb's tag is `.It Ic verb Op Fl -option ...`."""
    return {line.split()[2]: {"-" + flag for flag in re.findall(r"\bFl (-[a-z-]+)", line)}
            for line in lines if re.match(r"\.It Ic [a-z]", line)}


def check_options():
    for program, name in PROGRAMS.items():
        compare(f"{program}'s options", listed_options(page(name)), options_of(help_of(program)))


def check_verbs():
    manual, program = listed_verbs(page("qimuxctl.1")), verbs()
    compare("qimuxctl's verbs", set(manual), set(program))
    for verb in sorted(set(manual) & set(program)):
        compare(f"options of qimuxctl {verb}", manual[verb], program[verb])


def keys():
    """(table.key, default) of all keys that have one."""
    shown = subprocess.run([os.path.join(BUILD, "qimuxd"), "--check-config", "--config", "/dev/null"], capture_output=True,
                           text=True, check=True).stdout
    return {(f"{table}.{key}", str(value)) for table, entries in tomllib.loads(shown).items() for key, value in entries.items()}


def example_list_keys():
    """table.key of the tables that may be repeated, which the example shows as comments."""
    found, table = set(), None
    with open(os.path.join(SOURCE, "examples/qimuxd.toml"), encoding="utf-8") as file:
        for line in file:
            if header := re.match(r"(# )?\[\[?([a-z._]+)\]", line):
                table = header[2] if header[1] else None
            elif table and (key := re.match(r"# ([a-z_]+) = ", line)):
                found.add(f"{table}.{key[1]}")
    return found


def listed_keys():
    defaults, plain, table = set(), set(), None
    for line in page("qimuxd.toml.5"):
        line = line.replace(r"\(dq", '"').replace(r"\&", "")
        if header := re.match(r"\.Ss \[+([a-z._]+)\]", line):
            table = header[1]
        elif line.startswith(".Sh "):
            table = None
        elif table and (key := re.match(r"\.It Ic ([a-z_]+) No = (.*)", line)):
            defaults.add((f"{table}.{key[1]}", str(tomllib.loads("v = " + key[2])["v"])))
        elif table and (key := re.match(r"\.It Ic ([a-z_]+)$", line)):
            plain.add(f"{table}.{key[1]}")
    return defaults, plain


def check_keys():
    defaults, plain = listed_keys()
    compare("keys and their defaults", defaults, keys())
    compare("keys of tables that may be repeated", plain, example_list_keys())


def check_lint():
    """Nothing at all to say, but for manuals of others that this machine has not."""
    global failures
    for name in sorted(os.listdir(PAGES)):
        said = subprocess.run(["mandoc", "-Tlint", name], cwd=PAGES, capture_output=True, text=True).stdout.splitlines()
        ours = set(os.listdir(PAGES))
        said = [line for line in said if "mandoc.db" not in line
                and not ((xr := re.search(r"referenced manual not found: Xr (\S+) (\d)", line)) and f"{xr[1]}.{xr[2]}" not in ours)]
        if said:
            failures += 1
            print(f"FAILED mandoc -Tlint {name}:", *said, sep="\n    ")
        else:
            print(f"ok mandoc -Tlint {name}")


def check_brackets():
    """Op reaches to the end of its line: a second one would be shown inside of it, as if it went only with the first."""
    global failures
    for name in sorted(os.listdir(PAGES)):
        nested = [line for line in page(name) if line.startswith(".It ") and len(re.findall(r"\bOp\b", line)) > 1]
        failures += len(nested)
        print(*[f"FAILED brackets in {name}: {line}" for line in nested] or [f"ok brackets in {name}"], sep="\n")


if __name__ == "__main__":
    for check in (check_lint, check_brackets, check_options, check_verbs, check_keys):
        check()
    print(f"{failures} differences")
    sys.exit(1 if failures else 0)
