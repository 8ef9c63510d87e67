"""Whether any of many configurations differs from the baseline: the largest of all statistics (max-T).

Runs change places within each problem, as in ``statistics.exchange``, and in the same way for every
configuration: configurations that share an adapter, and all share the baseline, keep their correlation, so
that a hundred near copies cost no more than one (Westfall and Young 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from flextune.records import Score
from flextune.statistics.components import Floats
from flextune.statistics.decision import POWER
from flextune.statistics.selection.field import Field

#: Permutations; the smallest p-value is ``1 / (PERMUTATIONS + 1)``.
PERMUTATIONS = 2_000
#: Of them at a time: bounds the memory.
AT_A_TIME = 250
#: Statistics that are equal but for rounding count as equal.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class MaxT:
    """All configurations against the baseline, on all problems.

    Attributes:
        p_values: Two-sided, adjusted for all configurations (step-down), in their order.
        expected_best: Gain of the best, on average, if no configuration differed from the baseline.
        largest_by_chance: Gain of the best that is exceeded once in twenty times if none did.
        detectable: Smallest gain of one configuration that would be shown in four of five such sweeps.
        by_rank: What the gains would be if no configuration differed from the baseline: of the best, the
            second, ... the lower end, the middle and the upper end of 95 % of all permutations.
    """

    p_values: tuple[float, ...]
    expected_best: float
    largest_by_chance: float
    detectable: float
    by_rank: tuple[tuple[float, float, float], ...]


def max_t(field: Field, rng: np.random.Generator, permutations: int = PERMUTATIONS) -> MaxT:
    """Test every configuration of a field at once.

    Args:
        field: Configurations that were fixed before any outcome was seen, as in a grid.
        rng: Draws the permutations.
        permutations: How many.
    """
    drawn = _permuted(field, rng, permutations)
    gains = field.rates.mean(axis=1) - field.baseline_rates.mean()
    spread = np.sqrt((drawn**2).mean(axis=0))
    scale = np.where(spread > 0, spread, np.inf)
    statistics, by_chance = np.abs(gains) / scale, np.abs(drawn) / scale
    best = drawn.max(axis=1)
    return MaxT(
        p_values=tuple(_step_down(statistics, by_chance).tolist()),
        expected_best=float(best.mean()),
        largest_by_chance=float(np.quantile(best, 0.95)),
        detectable=_detectable(by_chance, spread),
        by_rank=_by_rank(drawn),
    )


def _detectable(by_chance: Floats, spread: Floats) -> float:
    """As ``decision.detectable``, beyond the critical value of the largest statistic."""
    critical = float(np.quantile(by_chance.max(axis=1), 0.95))
    usual = float(np.median(spread[spread > 0])) if (spread > 0).any() else 0.0
    return min((critical + float(stats.norm.ppf(POWER))) * usual, 1.0)


def _by_rank(drawn: Floats) -> tuple[tuple[float, float, float], ...]:
    ranked = -np.sort(-drawn, axis=1)
    low, middle, high = np.quantile(ranked, (0.025, 0.5, 0.975), axis=0).tolist()
    return tuple(zip(low, middle, high, strict=True))


def _step_down(statistics: Floats, by_chance: Floats) -> Floats:
    """Adjusted p-values: each is compared with the largest of those that are not larger than it."""
    order = np.argsort(-statistics, kind="stable")
    largest = np.maximum.accumulate(by_chance[:, order][:, ::-1], axis=1)[:, ::-1]
    reached = (largest >= statistics[order] - ROUNDING).sum(axis=0)
    p_values = np.maximum.accumulate((1 + reached) / (len(by_chance) + 1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = p_values
    return adjusted


def _permuted(field: Field, rng: np.random.Generator, permutations: int) -> Floats:
    """Mean differences after permutations of runs, shape ``(permutations, configurations)``.

    Configurations with equally many runs are permuted together. Others are permuted apart: without their
    correlation the largest statistic is larger, so the test is on the safe side.
    """
    baseline = _runs(field.baseline, field.problems)
    tables = [_runs(score, field.problems) for score in field.configurations]
    drawn = np.empty((permutations, len(tables)))
    for count in sorted({table.shape[0] for table in tables}):
        members = [place for place, table in enumerate(tables) if table.shape[0] == count]
        pooled = np.stack([np.concatenate([tables[place], baseline]) for place in members], axis=-1)
        for first in range(0, permutations, AT_A_TIME):
            rows = slice(first, min(first + AT_A_TIME, permutations))
            drawn[rows, members] = _exchanged(pooled, count, rows.stop - rows.start, rng)
    return drawn


def _exchanged(pooled: Floats, count: int, permutations: int, rng: np.random.Generator) -> Floats:
    """Mean differences when ``count`` runs of each problem are drawn to be the configuration's.

    Args:
        pooled: The runs of configurations and baseline, shape ``(runs, problems, configurations)``.
        count: Runs of a configuration.
        permutations: How many.
        rng: Draws them.
    """
    runs, problems, configurations = pooled.shape
    ranks = rng.random((permutations, runs, problems)).argsort(axis=1)
    weights = np.where(ranks < count, 1 / count, -1 / (runs - count)) / problems
    result = weights.reshape(permutations, -1) @ pooled.reshape(-1, configurations)
    return np.asarray(result, dtype=np.float64)


def _runs(score: Score, problems: tuple[str, ...]) -> NDArray[np.float64]:
    """Whether each run passed, shape ``(runs, problems)``: every sample of every seed is a run."""
    columns = [
        [outcome == "passed" for seed in sorted(score.outcomes) for outcome in score.outcomes[seed][name]]
        for name in problems
    ]
    return np.array(columns, dtype=np.float64).T
