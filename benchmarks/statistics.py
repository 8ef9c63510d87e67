"""How often the page says what is not so, and how often it shows what is.

    python -m benchmarks.statistics [--quick] [--repeats N] [--seed N] [--write docs/statistics.md]

Experiments are drawn and decided by the page's own rule, for every number of problems, trainings and samples,
mean rate, baseline and spread. Two equally good arms: every difference shown is wrong (type I). Arms that
differ by the margin: "same" is wrong. Arms that differ by 10 points: power. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from flextune.statistics.decision import MARGIN
from flextune.statistics.intervals import rate_ends
from flextune.statistics.simulation import Baseline, Design, draw, same, shown

PROBLEMS = (20, 40, 164, 320)
#: 0 is a model that is not trained here, run once or sampled. With 1 training no verdict is about the method.
SEEDS = (0, 1, 3, 5, 12)
RATES = (0.01, 0.1, 0.5, 0.9)
SAMPLES = (1, 20)
#: Spread of the trainings at a rate of one half; elsewhere in proportion to ``rate (1 - rate)``.
SEED_SPREAD = 0.07
#: Name, spread of the trainings over ``rate (1 - rate)``, and how unlike the arms' strengths are.
EFFECTS = (
    ("none", 0.0, 0.0),
    ("seeds", SEED_SPREAD / 0.25, 0.0),
    ("seeds and strengths", SEED_SPREAD / 0.25, 1.0),
)
BASELINES: tuple[Baseline, ...] = ("once", "as many")
EFFECT = 0.1
#: What type I may be; the difference to 5 % is for what no exact test covers.
LIMIT = 0.06
NOMINAL = 0.05
#: A design above ``NOMINAL`` is drawn again, with so many times as many experiments: of hundreds of shares
#: some are above 5 % by chance alone.
LOOKS = 10
BEGIN, END = "<!-- simulation -->", "<!-- end of simulation -->"


@dataclass(frozen=True, slots=True)
class Cell:
    """What was found for one design; shares of the drawn experiments.

    Attributes:
        design: The experiment, without a difference.
        effects: Name of what varies.
        repeats: Experiments drawn for each share.
        type_1: A difference is shown though there is none.
        same_at_margin: The arms are called the same though they differ by the margin; nan where the rate has
            no room for it.
        power: A difference of ``EFFECT`` is shown.
        covered: The interval of the arm's rate holds the truth.
    """

    design: Design
    effects: str
    repeats: int
    type_1: float
    same_at_margin: float
    power: float
    covered: float


def designs() -> list[tuple[Design, str]]:
    """Every design, and the name of what varies in it."""
    return [
        (
            Design(problems, seeds, samples, baseline, rate, 0.0, spread * rate * (1 - rate), reaction),
            name,
        )
        for problems, seeds, rate, samples, baseline, (name, spread, reaction) in itertools.product(
            PROBLEMS, SEEDS, RATES, SAMPLES, BASELINES, EFFECTS
        )
        # A model that is not trained here has no spread between trainings.
        if seeds > 0 or name != "seeds"
    ]


def measure(task: tuple[int, Design, str, int, int]) -> Cell:
    """One design, from its place in the list: the seed of its draws depends on nothing else."""
    place, design, effects, repeats, seed = task
    if not design.decides:
        return Cell(design, effects, repeats, 0.0, 0.0, 0.0, math.nan)
    rng = np.random.default_rng([seed, place])
    null = draw(design, repeats, rng)
    low, high = rate_ends(null.pair.arm, 0.05)
    toward = 1 if design.rate <= 0.5 else -1
    apart = draw(replace(design, difference=toward * MARGIN), repeats, rng)
    larger = draw(replace(design, difference=toward * EFFECT), repeats, rng)
    return Cell(
        design,
        effects,
        repeats,
        type_1=float(shown(null).mean()),
        same_at_margin=float((same(apart) & ~shown(apart)).mean()),
        power=float(shown(larger).mean()),
        covered=float(((low <= design.rate) & (design.rate <= high)).mean()),
    )


def second_look(task: tuple[int, Design, str, int, int]) -> Cell:
    """``measure`` with ``LOOKS`` times as many experiments, none of them of the first look."""
    place, design, effects, repeats, seed = task
    # The first look had seed ``seed``; these seeds are of no other design.
    looks = [
        measure((place, design, effects, repeats, (seed + 1) * 1_000_000 + look)) for look in range(LOOKS)
    ]
    shares = ("type_1", "same_at_margin", "power", "covered")
    means = {name: float(np.mean([getattr(look, name) for look in looks])) for name in shares}
    return Cell(design, effects, LOOKS * repeats, **means)


def looked_at_twice(tasks: Sequence[tuple[int, Design, str, int, int]], workers: int) -> list[Cell]:
    """Every design; those above 5 % by chance or in truth are drawn again, and the second look counts."""
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        cells = list(pool.imap(measure, tasks, chunksize=4))
        again = [i for i, cell in enumerate(cells) if max(cell.type_1, cell.same_at_margin) > NOMINAL]
        print(
            f"{len(again)} designs above {100 * NOMINAL:.0f} % at the first look are drawn again", flush=True
        )
        for place, cell in zip(again, pool.imap(second_look, [tasks[i] for i in again]), strict=True):
            cells[place] = cell
    return cells


def too_high(cell: Cell) -> bool:
    """Whether a share is above ``LIMIT`` by more than four of its own standard errors."""
    tolerance = 4 * math.sqrt(LIMIT * (1 - LIMIT) / cell.repeats)
    return max(cell.type_1, cell.same_at_margin) > LIMIT + tolerance


def table(cells: Sequence[Cell]) -> Iterator[str]:
    """Lines of Markdown: worst shares over rates, samples and baselines; power for greedy runs at 50 %."""
    names = [name for name, _, _ in EFFECTS]
    header = ("problems", "trainings", "type I", "with seed effects", "with seeds and strengths")
    yield f"| {' | '.join(header)} | 'same' at the margin | power, base run once | power, as many runs |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    for problems, seeds in itertools.product(PROBLEMS, SEEDS):
        here = [cell for cell in cells if (cell.design.problems, cell.design.seeds) == (problems, seeds)]
        if not here:
            continue
        worst = [_percent([cell.type_1 for cell in here if cell.effects == name]) for name in names]
        margin = _percent([cell.same_at_margin for cell in here])
        powers = [
            _percent([c.power for c in here if _plain(c) and c.design.baseline == baseline])
            for baseline in BASELINES
        ]
        shown_seeds = {0: "none (fixed models)", 1: "1 (no verdict)"}.get(seeds, str(seeds))
        yield f"| {problems} | {shown_seeds} | {' | '.join([*worst, margin, *powers])} |"


def _plain(cell: Cell) -> bool:
    return cell.effects == "none" and cell.design.samples == 1 and cell.design.rate == 0.5


def _percent(shares: Sequence[float]) -> str:
    return f"{100 * max(shares):.1f}" if shares else "–"


def document(cells: Sequence[Cell], repeats: int, seed: int) -> str:
    """The table with what has to be known to read it."""
    error, again = (100 * math.sqrt(0.05 * 0.95 / count) for count in (repeats, LOOKS * repeats))
    note = (
        f"{len(cells)} designs, {repeats} experiments each, seed {seed}. Those above 5 % at the first look "
        f"were drawn again,\n{LOOKS * repeats} times, and the second look counts. "
        f"The standard error of 5 % is {error:.1f} points at the first\nlook and {again:.1f} at the second. "
        f"Power is for a difference of {100 * EFFECT:.0f} points from 50 %, with one\ngreedy answer and "
        "without seed effects."
    )
    return "\n".join([BEGIN, "", *table(cells), "", note, "", END])


def main() -> None:
    """Draw, print, and write the table where it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few experiments: under a minute on two cores")
    parser.add_argument("--repeats", type=int, default=400, help="experiments for each share")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--write", type=Path, help="document whose table is replaced")
    given = parser.parse_args()
    repeats = 80 if given.quick else given.repeats
    start = time.perf_counter()
    tasks = [(i, design, name, repeats, given.seed) for i, (design, name) in enumerate(designs())]
    print(f"seed {given.seed}, {repeats} experiments for each of {len(tasks)} designs", flush=True)
    # The costliest first, so that no worker is left with one at the end.
    tasks.sort(key=lambda task: -task[1].problems * max(task[1].seeds, 1) * task[1].samples)
    cells = looked_at_twice(tasks, given.workers)
    print("\n".join(table(cells)))
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        page = before + document(cells, repeats, given.seed) + rest.split(END)[1]
        given.write.write_text(page, encoding="utf-8")
    above = [cell for cell in cells if too_high(cell)]
    for cell in above:
        print("above", {**asdict(cell.design), "type_1": cell.type_1, "same": cell.same_at_margin})
    covered = [cell.covered for cell in cells if not math.isnan(cell.covered)]
    summary = {
        "seed": given.seed,
        "repeats": repeats,
        "designs": len(cells),
        "type_1_largest": max(cell.type_1 for cell in cells),
        "type_1_mean": round(float(np.mean([cell.type_1 for cell in cells if cell.design.decides])), 4),
        "same_at_margin_largest": max(cell.same_at_margin for cell in cells),
        "coverage_smallest": min(covered),
        "coverage_mean": round(float(np.mean(covered)), 4),
        "above_limit": len(above),
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(summary))
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
