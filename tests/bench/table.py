# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured: samples to rows, rows to a table and to JSON."""
import dataclasses
import json
import os
import platform
import re
import statistics
import subprocess
import time

# A unit's factor and decimals.
UNITS = {"ms": (1e3, 2), "us": (1e6, 0), "%": (100, 2), "MB": (1e-6, 2), "kB": (1e-3, 1), "x": (1, 2)}
PLAIN = {"ms": "seconds", "us": "seconds", "%": "share", "MB": "bytes", "kB": "bytes", "x": "ratio"}


def p99(samples):
    """The smallest sample that at least 99 of 100 do not exceed."""
    ordered = sorted(samples)
    return ordered[-(-99 * len(ordered) // 100) - 1]


MEASURES = {"median": statistics.median, "p99": p99, "min": min, "max": max}


@dataclasses.dataclass
class Row:
    name: str
    samples: list
    unit: str
    aims: dict = dataclasses.field(default_factory=dict)  # {"median": at most}

    def values(self):
        return {what: measure(self.samples) for what, measure in MEASURES.items()}

    def missed(self):
        """{"median": by which factor} of the aims that are not met."""
        values = self.values()
        return {what: values[what] / aim for what, aim in self.aims.items() if values[what] > aim}

    def text(self, value):
        factor, decimals = UNITS[self.unit]
        return f"{value * factor:.{decimals}f} {self.unit}"

    def aim_text(self):
        return ", ".join(("" if what == "median" else f"{what} ") +
                         f"<= {aim * UNITS[self.unit][0]:g} {self.unit}"
                         for what, aim in self.aims.items())

    def verdict(self):
        if not self.aims:
            return ""
        missed = [f"{what} {factor:.2f} times that" for what, factor in self.missed().items()]
        return f"MISSED: {', '.join(missed)}" if missed else "met"

    def cells(self):
        values = [self.text(value) for value in self.values().values()]
        return [self.name, str(len(self.samples)), *values, self.aim_text(), self.verdict()]

    def plain(self):
        return {"name": self.name, "unit": PLAIN[self.unit], "runs": len(self.samples),
                **self.values(), "aims": self.aims, "missed": self.missed()}


HEAD = ["", "runs", "median", "p99", "min", "max", "aim", ""]


def draw(rows):
    """The table as text: names and aims to the left, numbers to the right."""
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    drawn = []
    for line in lines:
        cells = [cell.ljust(width) if i in (0, 6, 7) else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths))]
        drawn.append("  ".join(cells).rstrip())
    return "\n".join(drawn)


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return " ".join(found.group(1).split()) if found else platform.machine()


def qemu_version():
    said = subprocess.run(["/usr/bin/qemu-system-x86_64", "--version"], text=True,
                          capture_output=True, check=True).stdout
    return re.search(r"version (\S+)", said).group(1)


def surroundings():
    return {"date": time.strftime("%Y-%m-%d %H:%M"), "kernel": platform.release(),
            "qemu": qemu_version(), "cpu": cpu_model(), "cpus": os.cpu_count()}


def title(around, load):
    before, after = load
    return (f"{around['date']}, kernel {around['kernel']}, QEMU {around['qemu']}, "
            f"{around['cpus']} x {around['cpu']}\n"
            f"load average {before:.2f} before, {after:.2f} after")


def write_json(path, around, load, rows):
    found = {**around, "load_before": load[0], "load_after": load[1],
             "rows": [row.plain() for row in rows]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.write("\n")
