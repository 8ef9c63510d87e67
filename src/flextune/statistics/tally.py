"""Outcomes counted into seeds x problems, unknown outcomes set aside."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from flextune.records import UNKNOWN_OUTCOMES, Comparison, Score
from flextune.statistics.pass_at_k import pass_at_k

#: What two scores must share to be compared: benchmark, language, lexicon, decoding.
Setting = tuple[str, str, str | None, str]

#: The seed of a model that has none.
NO_SEED = "-"


def setting(row: Score | Comparison) -> Setting:
    """Everything but the arm."""
    return (row.benchmark, row.language, row.lexicon, row.decoding)


def trainings(score: Score) -> int:
    """Trainings behind a score: 0 for a model that was not trained here, however often it was sampled.

    Where no training is recorded at all, each seed counts as one.
    """
    if score.trainings:
        return len({key for key in score.trainings.values() if key is not None})
    return len([seed for seed in score.outcomes if seed != NO_SEED])


@dataclass(frozen=True, slots=True)
class Tally:
    """Passes of one score; every cell is known.

    Attributes:
        seeds: In the order of the rows.
        problems: In the order of the columns: sorted, so that no result depends on a file's order.
        correct: Samples that passed, shape ``(seeds, problems)``.
        samples: Samples judged, same shape.
        left_out: Problems with an unknown or missing outcome in any seed.
    """

    seeds: tuple[str, ...]
    problems: tuple[str, ...]
    correct: NDArray[np.int64]
    samples: NDArray[np.int64]
    left_out: tuple[str, ...]

    @property
    def single_run(self) -> bool:
        """Whether this is one run with one sample a problem, as greedy decoding gives."""
        return len(self.seeds) == 1 and bool((self.samples == 1).all())

    def rates(self, k: int = 1) -> NDArray[np.float64]:
        """pass@k of every cell, shape ``(seeds, problems)``; nan where samples are too few."""
        cells = zip(self.samples.flat, self.correct.flat, strict=True)
        values = [pass_at_k(int(n), int(c), k) for n, c in cells]
        return np.array(values, dtype=np.float64).reshape(self.correct.shape)

    def exact_rates(self) -> list[Fraction]:
        """Pass rate of each problem, averaged over seeds, without rounding."""
        return [
            sum((Fraction(int(c), int(n)) for c, n in zip(passes, runs, strict=True)), Fraction(0))
            / len(self.seeds)
            for passes, runs in zip(self.correct.T, self.samples.T, strict=True)
        ]

    def draws_allowed(self) -> float:
        """The largest k for which every problem has samples in every seed; inf without problems."""
        return float(self.samples.min()) if self.samples.size else math.inf


def tally(score: Score, only: Collection[str] | None = None) -> Tally:
    """Count the passes of one score.

    A problem with an unknown outcome (``UNKNOWN_OUTCOMES``) or none at all in any seed is left out
    whole, so that seeds and arms are compared on the same problems.

    Args:
        score: Outcomes by seed and problem.
        only: Consider these problems alone; a name that the score lacks counts as left out.
    """
    seeds = tuple(sorted(score.outcomes))
    seen = {name for runs in score.outcomes.values() for name in runs}
    wanted = sorted(seen if only is None else only)
    known = [
        name
        for name in wanted
        if seeds
        and all(
            score.outcomes[seed].get(name) and UNKNOWN_OUTCOMES.isdisjoint(score.outcomes[seed][name])
            for seed in seeds
        )
    ]
    shape = (len(seeds), len(known))
    passes = [[score.outcomes[seed][name].count("passed") for name in known] for seed in seeds]
    runs = [[len(score.outcomes[seed][name]) for name in known] for seed in seeds]
    return Tally(
        seeds=seeds,
        problems=tuple(known),
        correct=np.array(passes, dtype=np.int64).reshape(shape),
        samples=np.array(runs, dtype=np.int64).reshape(shape),
        left_out=tuple(name for name in wanted if name not in set(known)),
    )
