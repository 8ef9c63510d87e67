"""95 % intervals of a pass rate: Wilson's, made wider or narrower by what varies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats

from flextune.statistics.components import (
    CONFIDENCE,
    TRAININGS_FOR_A_METHOD,
    Component,
    Floats,
    of_seeds,
    squared_reach,
)

Interval = tuple[float, float]

#: So many problems are taken for solved always, and as many for solved never, beside those that were posed:
#: rates of 1 in 20 samples do not show that no problem is solved in all of them.
EXTREME_PROBLEMS = 2

#: What ``interval`` says it did.
WILSON = "Wilson"
OVER_PROBLEMS = "Wilson, over problems"
OVER_BOTH = "Wilson, over problems and seeds"
NONE = "none"


@lru_cache(maxsize=10_000)
def wilson(passed: int, count: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    Args:
        passed: Problems passed.
        count: Problems judged, at least 1.
    """
    found = stats.binomtest(passed, count).proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def wilson_ends(rate: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Wilson's formula for means that are no counts.

    The ends solve ``(rate - p)^2 = spread p (1 - p)``; for ``passed`` of ``count`` trials the spread is
    ``z^2 / count``, and this is Wilson's interval.

    Args:
        rate: Mean pass rate, shape ``(...)``.
        spread: Squared half-width over ``p (1 - p)``.
    """
    centre = (rate + spread / 2) / (1 + spread)
    reach = np.sqrt(spread * rate * (1 - rate) + spread**2 / 4) / (1 + spread)
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)


def relative_spread(table: Floats, level: float) -> Floats:
    """Squared half-width of a mean pass rate, over ``p (1 - p)``.

    Of the problems it is ``t^2 / problems``, times the share of ``p (1 - p)`` that lies between problems: 1
    where each passes always or never, less where rates lie between. ``EXTREME_PROBLEMS`` take part in it.

    Args:
        table: Pass rates, shape ``(..., seeds, problems)``.
        level: Chance to lie outside.
    """
    rates = table.mean(axis=-2)
    count, extra = rates.shape[-1], EXTREME_PROBLEMS
    mean = (rates.sum(axis=-1) + extra) / (count + 2 * extra)
    square = ((rates**2).sum(axis=-1) + extra) / (count + 2 * extra)
    between = (square - mean**2) / (mean * (1 - mean))
    spread = squared_reach([Component(between / count, max(count - 1, 1))], level)
    seeds = of_seeds(table)
    if seeds is not None:
        rate = rates.mean(axis=-1)
        varied = rate * (1 - rate)
        known = squared_reach([seeds], level) / np.where(varied > 0, varied, 1.0)
        spread = spread + np.where(varied > 0, known, 0.0)
    return spread


def rate_ends(table: Floats, level: float) -> tuple[Floats, Floats]:
    """Interval of the mean pass rate of a seeds x problems table, shape ``(..., seeds, problems)``."""
    return wilson_ends(table.mean(axis=(-2, -1)), relative_spread(table, level))


def interval(rates: Floats, single_run: bool) -> tuple[Interval | None, str]:
    """The interval that the data allow, and its name.

    Args:
        rates: pass@k per seed and problem, shape ``(seeds, problems)``, no nan.
        single_run: One seed and one sample a problem.

    Returns:
        ``(low, high)`` or None where no interval is honest, and the method.
    """
    seeds, count = rates.shape
    if count == 0 or (count == 1 and not single_run):
        return None, NONE
    # 0 of 40 in every seed is no proof of 0: the problems are then trials of one outcome.
    constant = bool((rates == 0).all() or (rates == 1).all())
    if single_run or constant:
        return wilson(round(float(rates.mean(axis=0).sum())), count), WILSON
    low, high = rate_ends(rates, 1 - CONFIDENCE)
    method = OVER_BOTH if seeds >= TRAININGS_FOR_A_METHOD else OVER_PROBLEMS
    return (float(low), float(high)), method
