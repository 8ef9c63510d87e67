"""Runs that a sweep ended in: configurations on a grid, whose true rates are known."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tests.support.transfer_runs import transfer_run

from flextune.records import Outcome, Score, as_row
from flextune.statistics.selection.field import Field
from flextune.statistics.selection.max_t import max_t
from flextune.statistics.summary import compare

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1)
CUTOFFS = (0.1, 0.3, 0.5, 0.7)
#: pass@1 at a strength and a cutoff.
Rate = Callable[[float, float], float]


def hill(strength: float, cutoff: float) -> float:
    """Highest at strength 0.01 and cutoff 0.5."""
    return 0.25 + 0.35 * float(np.exp(-(np.log10(strength / 0.01) ** 2) - ((cutoff - 0.5) / 0.3) ** 2))


def flat(strength: float, cutoff: float) -> float:
    """As the baseline, everywhere."""
    return 0.34


def swept_run(folder: Path, rate: Rate = hill, *, problems: int = 150, seed: int = 0) -> dict[str, Any]:
    """Write a run with ``swept.json``, and give what is in it."""
    rng = np.random.default_rng(seed)
    grid = list(itertools.product(STRENGTHS, CUTOFFS))
    scores = [_score(str(number), rate(*place), problems, rng) for number, place in enumerate(grid)]
    field = Field.of(scores, _score("baseline", 0.34, problems, rng))
    tested = max_t(field, np.random.default_rng(1), 400)
    best = field.best()
    settings = [{"penalty.strength": strength, "penalty.cutoff": cutoff} for strength, cutoff in grid]
    means = field.rates.mean(axis=1).tolist()
    found: dict[str, Any] = {
        "search": "grid",
        "objective": "pass@1",
        "seed": 1000,
        "evaluation": "rosetta py base",
        "halves": [problems // 2, problems - problems // 2],
        "chosen": {"number": best, "settings": settings[best]},
        "honest": as_row(compare(scores[best], field.baseline)),
        "trials": [
            {"number": number, "settings": each, "state": "done", "value": means[number], "proposal": None}
            for number, each in enumerate(settings)
        ],
        "naive": {
            "number": best,
            "rate": means[best],
            "baseline_rate": float(field.baseline_rates.mean()),
            "problems": problems,
            "scores": means,
            "numbers": list(range(len(grid))),
        },
        "left_out": [],
        "max_t": as_row(tested),
    }
    transfer_run(folder, problems=10, seeds=1, settings=(("py", "base"),))
    (folder / "swept.json").write_text(json.dumps(found))
    read: dict[str, Any] = json.loads((folder / "swept.json").read_text())
    return read


def _score(arm: str, rate: float, problems: int, rng: np.random.Generator) -> Score:
    words: tuple[Outcome, Outcome] = ("wrong_answer", "passed")
    outcomes = {f"p{number:03}": [words[int(rng.random() < rate)]] for number in range(problems)}
    return Score(arm, "rosetta", "py", "base", "greedy", {"-": outcomes}, {"-": None})
