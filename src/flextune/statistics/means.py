"""Numbers that were measured once a seed: their mean, and what it says about further seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from flextune.statistics.components import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over seeds.

    Attributes:
        value: The mean.
        low: Lower end of its 95 % interval; None with a single seed.
        high: Upper end.
        count: Seeds.
    """

    value: float
    low: float | None
    high: float | None
    count: int


def mean_over_seeds(values: Iterable[float]) -> Spread | None:
    """Mean with Student's 95 % interval, ``mean ± t(n - 1) s / sqrt(n)``; None without a value.

    For a paired comparison, give the differences, one a seed.
    """
    sample = np.array(list(values), dtype=np.float64)
    if not sample.size:
        return None
    mean, count = float(sample.mean()), int(sample.size)
    if count == 1:
        return Spread(mean, None, None, 1)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * sample.std(ddof=1) / math.sqrt(count))
    return Spread(mean, mean - reach, mean + reach, count)


def ratio_over_seeds(ratios: Iterable[float]) -> Spread | None:
    """Geometric mean of paired ratios above 0, with the interval of their logarithms' mean.

    It does not matter which of the two is divided by the other: the result is then the reciprocal.
    """
    return exponential(mean_over_seeds(math.log(ratio) for ratio in ratios))


def exponential(spread: Spread | None) -> Spread | None:
    """A mean of logarithms as a geometric mean."""
    if spread is None:
        return None
    low, high = (None if end is None else _exp(end) for end in (spread.low, spread.high))
    return Spread(_exp(spread.value), low, high, spread.count)


def _exp(value: float) -> float:
    # Two seeds can have an interval that no float holds.
    return math.exp(min(value, 700.0))
