"""95 % intervals of a pass rate: Wilson for one run, bootstraps for more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 10_000

#: Fewer seeds say too little about their own spread: they are averaged, not resampled.
SEEDS_FOR_AN_INTERVAL = 3

Floats = NDArray[np.float64]
Interval = tuple[float, float]


def wilson(passed: int, count: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    Args:
        passed: Problems passed.
        count: Problems judged, at least 1.
    """
    found = stats.binomtest(passed, count).proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def resampled_means(rates: Floats, problems: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Mean rate under each resampling: problem weights given, seeds resampled here if there are enough.

    Problems and seeds are two crossed factors (every seed meets every problem), so each factor is
    drawn once for the whole table and the weights multiply: the pigeonhole bootstrap of Owen 2007
    (doi:10.1214/07-AOAS122). Drawing problems anew within each seed (nesting) would average the
    problems' difficulty away and give intervals that are too short. Simulated coverage with 3 or 5
    seeds, 40 or 160 problems and seeds that differ by 0 to 6 points: 94 to 99 %.

    Args:
        rates: Shape ``(seeds, problems)``.
        problems: How often each problem was drawn, shape ``(resamples, problems)``.
        rng: Draws the seeds.

    Returns:
        Shape ``(resamples,)``.
    """
    seeds, count = rates.shape
    if seeds < SEEDS_FOR_AN_INTERVAL:
        return problems @ rates.mean(axis=0) / count
    # The plug-in spread of s seeds is (s - 1) / s of the unbiased one: a third too small at three.
    centre = rates.mean(axis=0)
    spread = centre + (rates - centre) * np.sqrt(seeds / (seeds - 1))
    drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(problems))
    return ((drawn @ spread) * problems).sum(axis=1) / (seeds * count)


def draw_problems(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each of ``count`` problems is drawn, shape ``(RESAMPLES, count)``."""
    return rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)


def percentiles(means: Floats) -> Interval:
    """The central 95 % of a bootstrap distribution."""
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def interval(rates: Floats, single_run: bool, rng: np.random.Generator) -> tuple[Interval | None, str]:
    """The interval that the data allow, and its name.

    Args:
        rates: pass@k per seed and problem, shape ``(seeds, problems)``, no nan.
        single_run: One seed and one sample a problem.
        rng: Draws the resamples.

    Returns:
        ``(low, high)`` or None where no interval is honest, and the method: ``wilson``,
        ``bootstrap over problems``, ``crossed bootstrap`` or ``none``.
    """
    seeds, count = rates.shape
    if count == 0:
        return None, "none"
    # A bootstrap of equal values has no width, and 0 of 40 is no proof of 0: the problems are then
    # so many trials of one outcome, for which Wilson holds.
    constant = bool((rates == 0).all() or (rates == 1).all())
    if single_run or constant:
        return wilson(round(float(rates.mean(axis=0).sum())), count), "wilson"
    low, high = percentiles(resampled_means(rates, draw_problems(count, rng), rng))
    if low == high:
        return None, "none"
    crossed = seeds >= SEEDS_FOR_AN_INTERVAL
    return (max(low, 0.0), min(high, 1.0)), "crossed bootstrap" if crossed else "bootstrap over problems"
