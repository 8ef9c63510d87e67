"""What choosing the best of many runs adds to a score, though all runs are equally good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flextune.records import Score

#: Settings that the paper's round 5 chose among: adapters x decodings, as far as its scripts can be read.
SETTINGS = 150
#: Problems of its benchmark.
PROBLEMS = 164
_DRAWS = 2_000


@dataclass(frozen=True)
class Selection:
    """Single runs of one adapter, and the best of them.

    Attributes:
        runs: How many: every seed, decoding and sample is one.
        mean: Mean pass@1.
        best: The highest.
        expected: Of the best of ``SETTINGS`` runs on ``PROBLEMS`` problems, each of which passes with the
            share
            of runs that passed it here: what choosing alone gives.
    """

    runs: int
    mean: float
    best: float
    expected: float


def selection(scores: Sequence[Score]) -> Selection | None:
    """Every run of some scores of one model on the same problems; None with fewer than three runs."""
    rows = _runs(scores)
    if rows.shape[0] < 3 or not rows.shape[1]:
        return None
    means = rows.mean(axis=1)
    return Selection(len(means), float(means.mean()), float(means.max()), _expected_best(rows.mean(axis=0)))


def _runs(scores: Sequence[Score]) -> np.ndarray:
    """Passes, shape ``(runs, problems)``, of the problems that all runs have."""
    runs: list[dict[str, bool]] = []
    for score in scores:
        for outcomes in score.outcomes.values():
            samples = min((len(found) for found in outcomes.values()), default=0)
            runs += [
                {name: found[sample] == "passed" for name, found in outcomes.items()}
                for sample in range(samples)
            ]
    common = sorted(set.intersection(*map(set, runs))) if runs else []
    return np.array([[run[name] for name in common] for run in runs], dtype=float).reshape(
        len(runs), len(common)
    )


def _expected_best(rates: np.ndarray) -> float:
    """Expected maximum of ``SETTINGS`` independent runs on ``PROBLEMS`` problems with these pass rates."""
    rng = np.random.default_rng(0)
    spread = np.sqrt((rates * (1 - rates)).mean() / PROBLEMS)
    draws = rng.normal(rates.mean(), spread, size=(_DRAWS, SETTINGS)).max(axis=1)
    return float(min(draws.mean(), 1.0))
