"""The judge's own memory over many verdicts.

``python -m benchmarks.soak [--quick]`` judges 100,000 programs, every one of them new, and watches what the
judge and its helpers hold: resident memory, open files, processes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reporting import RESULTS, conditions, finish, table
from flextune.judging import Judge, Limits
from flextune.judging.sandbox.watch import tree_usage
from flextune.records import Completion, Problem

_MIB = 2**20
#: One of every kind of ending, over and over.
KINDS = (
    "assert sum(range(10)) == 45",
    "assert sum(range(10)) == 46",
    "[][1]",
    "print('x' * 2000)",
    "def f(:",
    "import os; os._exit(0)",
    "open('/tmp/x', 'w').write('x' * 100_000)",
    "kept = [[n] for n in range(20_000)]",
)


@dataclass(frozen=True)
class Look:
    """What the judge held after so many verdicts."""

    verdicts: int
    own_bytes: int
    helper_bytes: int
    descriptors: int
    processes: int
    per_second: float


def pairs(count: int) -> Iterator[tuple[Problem, Completion]]:
    """Programs that differ from one another."""
    for number in range(count):
        source = f"{KINDS[number % len(KINDS)]}\n# {number}"
        yield Problem(f"{number}", "soak", "py", "", ""), Completion(f"{number}", 0, source)


def look(verdicts: int, seconds: float) -> Look:
    """One look at this process and its descendants."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    tree = tree_usage(os.getpid())
    descriptors = len(os.listdir("/proc/self/fd"))
    rate = verdicts / seconds if seconds else 0.0
    return Look(verdicts, resident, tree.resident_bytes, descriptors, len(tree.processes), rate)


def soak(count: int, every: int) -> list[Look]:
    """Judge ``count`` programs and look every so many."""
    looks = []
    start = time.monotonic()
    with Judge(limits=Limits(cpu_seconds=5, wall_seconds=20)) as judge:
        for number, _ in enumerate(judge.verdicts(pairs(count)), start=1):
            if number % every == 0:
                looks.append(look(number, time.monotonic() - start))
    return looks


def curve(looks: Sequence[Look]) -> str:
    """Resident memory over verdicts as an SVG drawing."""
    width, height, left, bottom = 640, 240, 60, 30
    top = max(one.own_bytes for one in looks) / _MIB * 1.2
    points = " ".join(
        f"{left + (width - left) * one.verdicts / looks[-1].verdicts:.1f},"
        f"{(height - bottom) * (1 - one.own_bytes / _MIB / top):.1f}"
        for one in looks
    )
    labels = "".join(
        f'<text x="{x}" y="{y}" font-size="11" text-anchor="{anchor}">{text}</text>'
        for x, y, anchor, text in [
            (left - 6, 12, "end", f"{top:.0f} MiB"),
            (left - 6, height - bottom, "end", "0"),
            (left, height - 10, "start", "0"),
            (width, height - 10, "end", f"{looks[-1].verdicts:,} verdicts"),
        ]
    )
    axes = f'<path d="M{left},0 V{height - bottom} H{width}" fill="none" stroke="#888"/>'
    line = f'<polyline points="{points}" fill="none" stroke="#2a6fb0" stroke-width="2"/>'
    box = (
        f'viewBox="0 0 {width + 10} {height}" width="{width + 10}" height="{height}" font-family="sans-serif"'
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{axes}{line}{labels}</svg>\n'


def main() -> None:
    """Soak, write the results, print how much the judge grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 verdicts; nothing is written")
    options = parser.parse_args()
    count, every = (2_000, 200) if options.quick else (100_000, 2_000)
    looks = soak(count, every)
    # The first looks fill caches that are bounded; growth is what comes after a fifth of the way.
    settled, last = looks[len(looks) // 5], looks[-1]
    rows = [
        [
            f"{one.verdicts:,}",
            f"{one.own_bytes / _MIB:.1f}",
            f"{one.helper_bytes / _MIB:.1f}",
            one.descriptors,
            one.processes,
            f"{one.per_second:.0f}",
        ]
        for one in looks[len(looks) // 10 - 1 :: max(1, len(looks) // 10)]
    ]
    header = ["verdicts", "judge, MiB", "helpers and programs, MiB", "open files", "processes", "verdicts/s"]
    text = "\n\n".join(
        [
            "# The judge's memory over many verdicts",
            conditions(),
            f"{count:,} programs, each new, of {len(KINDS)} kinds (passes, failed assertions, "
            "exceptions, syntax errors, early exits, output, files). Resident memory of the judging process, "
            "and of all below it.",
            "![Resident memory of the judge](soak.svg)",
            table(header, rows),
        ]
    )
    if not options.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "soak.svg").write_text(curve(looks), encoding="utf-8")
    growth = (last.own_bytes - settled.own_bytes) / _MIB
    finish("soak", text, {"verdicts": count, "growth_mib": round(growth, 2)}, quick=options.quick)


if __name__ == "__main__":
    main()
