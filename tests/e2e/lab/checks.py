"""Checks that say what they checked, so that a passing log is evidence too."""


class Failed(Exception):
    """Something that has to hold does not."""


def note(text):
    """Prints a figure or a remark that nothing is asserted about."""
    print(f"    -- {text}", flush=True)


def check(condition, text):
    if not condition:
        raise Failed(text)
    print(f"    ok {text}", flush=True)


def equal(got, want, what):
    if got != want:
        raise Failed(f"{what}: got {_short(got)}, wanted {_short(want)}")
    print(f"    ok {what} = {_short(want)}", flush=True)


def within(value, low, high, what, unit="s"):
    """A measured value between two bounds; the value is printed either way."""
    text = f"{what}: {value:.3f} {unit} (allowed {low:g} to {high:g})"
    if not low <= value <= high:
        raise Failed(text)
    print(f"    ok {text}", flush=True)


def _short(value):
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:120]}... ({len(text)} characters)"
