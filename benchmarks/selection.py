"""What the best of many configurations is said to gain, and how often that is so.

    python -m benchmarks.selection [--quick] [--repeats N] [--seed N] [--write docs/statistics.md]

Sweeps are drawn in which no configuration changes anything, or some gain 20 points, and reported in five
ways: the naive best, one split, cross-fitting, the max-T test over all problems, and SIREN. The last line is
one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.siren import siren
from flextune.records import Comparison
from flextune.statistics.decision import SIGNIFICANT
from flextune.statistics.selection.crossfit import cross_fit
from flextune.statistics.selection.field import Field, restricted
from flextune.statistics.selection.halves import split
from flextune.statistics.selection.max_t import max_t
from flextune.statistics.selection.simulation import SweepDesign, draw_sweep
from flextune.statistics.summary import compare

GAIN = 0.2
DESIGNS: dict[str, SweepDesign] = {
    "nothing changes": SweepDesign(),
    "nothing changes, equally hard problems": SweepDesign(spread=0.0),
    "nothing changes, 10 adapters x 15 decodings": SweepDesign(family=15),
    "nothing changes, 3 configurations": SweepDesign(configurations=3),
    "nothing changes, 1 or 5 samples": SweepDesign(family=15, samples=(1, 5)),
    "one gains 20 points": SweepDesign(gain=GAIN, planted=1),
    "one adapter gains 20 points": SweepDesign(gain=GAIN, planted=15, family=15),
    "one gains 20 points, equally hard problems": SweepDesign(gain=GAIN, planted=1, spread=0.0),
}
METHODS = ("naive", "split", "cross-fit", "max-T", "SIREN", "SIREN, 10 best")
#: What the share of false gains may be.
NOMINAL = 0.05
#: What a gain of 20 points must be shown in, where problems differ.
POWER = 0.8
BEGIN, END = "<!-- selection -->", "<!-- end of selection -->"


@dataclass(frozen=True, slots=True)
class Report:
    """What one way of reporting said about one sweep.

    Attributes:
        gain: The estimate; nan where there is none.
        truth: What the configuration gains that it is about.
        covered: Whether its interval holds the truth; None without an interval.
        shown: Whether a gain is shown.
    """

    gain: float
    truth: float
    covered: bool | None
    shown: bool


def reports(design: SweepDesign, seed: tuple[int, int]) -> tuple[float, list[Report]]:
    """The naive best score of one drawn sweep, and the report of every method."""
    rng = np.random.default_rng(seed)
    field = draw_sweep(design, rng)
    true = design.true_gains
    naive = field.best()
    every = compare(field.configurations[naive], field.baseline)
    strata = dict(zip(field.problems, field.baseline_rates.tolist(), strict=True))
    halves = split(strata, seed[1])
    chosen = field.best(halves.choosing)
    held = compare(
        restricted(field.configurations[chosen], halves.reporting),
        restricted(field.baseline, halves.reporting),
    )
    return float(field.rates.mean(axis=1).max()), [
        _compared(every, true[naive]),
        _compared(held, true[chosen]),
        _cross_fitted(field, true, seed[1]),
        _max_t(field, true, rng),
        _siren(field, true, rng, None),
        _siren(field, true, rng, 10),
    ]


def _compared(comparison: Comparison, truth: float) -> Report:
    low, high = comparison.low or 0.0, comparison.high or 0.0
    shown = (comparison.p_value or 0.0) < SIGNIFICANT and low > 0
    return Report(comparison.difference, truth, low <= truth <= high, shown)


def _cross_fitted(field: Field, true: np.ndarray, seed: int) -> Report:
    found = cross_fit(field, seed)
    truth = sum(share * true[int(arm)] for arm, share in found.chosen.items())
    low, high = found.low or 0.0, found.high or 0.0
    return Report(found.difference, truth, low <= truth <= high, found.shown and low > 0)


def _max_t(field: Field, true: np.ndarray, rng: np.random.Generator) -> Report:
    found = max_t(field, rng)
    best = field.best()
    gain = float(field.rates[best].mean() - field.baseline_rates.mean())
    # A configuration that changes nothing is a false gain, whatever else is planted.
    shown = [
        place
        for place, p in enumerate(found.p_values)
        if p < SIGNIFICANT and field.rates[place].mean() > field.baseline_rates.mean()
    ]
    return Report(gain, float(true[best]), None, bool(shown))


def _siren(field: Field, true: np.ndarray, rng: np.random.Generator, shortlist: int | None) -> Report:
    found = siren(field.rates - field.baseline_rates, rng, shortlist=shortlist)
    truth = float(found.weights @ true)
    return Report(found.value, truth, found.low <= truth <= found.high, found.low > 0)


@dataclass(frozen=True, slots=True)
class Row:
    """Shares over all drawn sweeps of a design.

    Attributes:
        design: Its name.
        method: The way of reporting.
        best: Mean naive best score.
        excess: Mean of estimate minus truth.
        covered: Share of the intervals that hold the truth; nan without intervals.
        shown: Share of the sweeps in which a gain is shown.
    """

    design: str
    method: str
    best: float
    excess: float
    covered: float
    shown: float


def measure(task: tuple[str, int, int]) -> list[Row]:
    """All methods on ``repeats`` sweeps of a design."""
    name, repeats, seed = task
    drawn = [reports(DESIGNS[name], (seed, number)) for number in range(repeats)]
    best = float(np.mean([score for score, _ in drawn]))
    rows = []
    for place, method in enumerate(METHODS):
        of_method = [each[place] for _, each in drawn]
        covered = [each.covered for each in of_method if each.covered is not None]
        rows.append(
            Row(
                name,
                method,
                best,
                float(np.mean([each.gain - each.truth for each in of_method])),
                float(np.mean(covered)) if covered else math.nan,
                float(np.mean([each.shown for each in of_method])),
            )
        )
    return rows


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of Markdown: a line for each design and method."""
    header = ("sweep", "reported by", "naive best, %", "excess, points", "covered, %", "gain shown, %")
    yield f"| {' | '.join(header)} |"
    yield "|---|---|---:|---:|---:|---:|"
    for row in rows:
        covered = "–" if math.isnan(row.covered) else f"{100 * row.covered:.0f}"
        yield (
            f"| {row.design} | {row.method} | {100 * row.best:.1f} | {100 * row.excess:+.1f} | {covered} "
            f"| {100 * row.shown:.1f} |"
        )


def document(rows: Sequence[Row], repeats: int, seed: int) -> str:
    """The table with what has to be known to read it."""
    error = 100 * math.sqrt(NOMINAL * (1 - NOMINAL) / repeats)
    note = (
        f"{repeats} sweeps each, seed {seed}; 150 configurations at 34 % on 164 problems where nothing else\n"
        "is said. Excess: mean of the estimated gain minus the true one of what it is about. Covered: the\n"
        f"interval holds that. The standard error of 5 % is {error:.1f} points."
    )
    return "\n".join([BEGIN, "", *table(rows), "", note, "", END])


def broken(rows: Sequence[Row], repeats: int) -> list[str]:
    """Promises that the rows do not keep, beyond four standard errors."""
    ours = [row for row in rows if row.method in ("split", "cross-fit", "max-T")]
    slack = 4 * math.sqrt(NOMINAL * (1 - NOMINAL) / repeats)
    found = []
    for row in ours:
        design = DESIGNS[row.design]
        if not design.gain and row.shown > NOMINAL + slack:
            found.append(f"{row.design}, {row.method}: a gain in {row.shown:.3f} of the sweeps")
        reach = 4 * math.sqrt(POWER * (1 - POWER) / repeats)
        if design.gain and design.spread and row.shown < POWER - reach:
            found.append(f"{row.design}, {row.method}: shown in {row.shown:.3f} of the sweeps")
        if not math.isnan(row.covered) and row.covered < 1 - NOMINAL - slack:
            found.append(f"{row.design}, {row.method}: the interval holds {row.covered:.3f}")
    return found


def main() -> None:
    """Draw, print, and write the table where it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="40 sweeps of each kind")
    parser.add_argument("--repeats", type=int, default=400, help="sweeps of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--write", type=Path, help="document whose table is replaced")
    given = parser.parse_args()
    repeats = 40 if given.quick else given.repeats
    start = time.perf_counter()
    print(f"seed {given.seed}, {repeats} sweeps of each of {len(DESIGNS)} kinds", flush=True)
    with multiprocessing.get_context("fork").Pool(given.workers) as pool:
        tasks = [(name, repeats, given.seed) for name in DESIGNS]
        rows = []
        for of_design in pool.imap(measure, tasks, chunksize=1):
            rows += of_design
            print("\n".join(list(table(of_design))[2:]), flush=True)
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        page = before + document(rows, repeats, given.seed) + rest.split(END)[1]
        given.write.write_text(page, encoding="utf-8")
    faults = broken(rows, repeats)
    for fault in faults:
        print("broken:", fault)
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"seed": given.seed, "repeats": repeats, "broken": len(faults), "seconds": seconds}))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
