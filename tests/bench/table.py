"""The table, as it can stand in a README."""

import dataclasses


@dataclasses.dataclass
class Row:
    name: str
    value: float
    unit: str
    direction: str | None
    target: float | None
    ppp: str

    def measured(self):
        digits = 4 if self.unit == "" and self.value < 2 else 0 if self.value >= 1000 else 2
        return f"{self.value:,.{digits}f} {self.unit}".strip()

    def wanted(self):
        if self.direction is None:
            return "reported"
        return f"{'>=' if self.direction == '>' else '<='} {self.target:,} {self.unit}".strip()

    def met(self):
        if self.direction is None:
            return True
        return self.value >= self.target if self.direction == ">" else self.value <= self.target


def print_table(rows):
    """Returns the names of the missed targets."""
    missed = [row.name for row in rows if not row.met()]
    cells = [("", "measured", "target", "PPP, same line", "")]
    cells += [(row.name, row.measured(), row.wanted(), row.ppp, "ok" if row.met() else "MISSED") for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    cells.insert(1, tuple("-" * width for width in widths))
    print()
    for line in cells:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
    print(f"\n{len(missed)} of {len(rows)} missed: {', '.join(missed)}" if missed else "\nall targets met", flush=True)
    return missed
