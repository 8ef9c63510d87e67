"""Whether one arm beats another on the same problems: exact tests and intervals of the difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from flextune.statistics.intervals import Interval, draw_problems, percentiles, resampled_means, wilson

#: Steps of the exact recursion (problems x reachable sums) beyond which signs are drawn instead.
EXACT_STEPS = 200_000_000
MONTE_CARLO_DRAWS = 100_000


def mcnemar_p_value(won: int, lost: int) -> float:
    """Exact two-sided McNemar test of two single runs (McNemar 1947, Psychometrika 12:153).

    Under the null hypothesis each problem on which the arms disagree is a fair coin.

    Args:
        won: Problems that only the arm passes.
        lost: Problems that only the baseline passes.
    """
    return float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0


def permutation_p_value(differences: Sequence[Fraction], rng: np.random.Generator) -> float:
    """Two-sided paired permutation test over problems: the signs of the differences are exchangeable.

    Exact: pass rates are fractions, so over their common denominator the sum of signed differences
    takes few values and its distribution follows by adding one problem at a time. Only with
    denominators too unlike for that (see ``EXACT_STEPS``) signs are drawn; then the p-value counts
    the observed signs among the draws and is never 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).

    Args:
        differences: Pass rate of the arm minus that of the baseline, one for each problem.
        rng: Draws signs where the exact way is too long.
    """
    scale = math.lcm(*(d.denominator for d in differences))
    whole = [int(d * scale) for d in differences if d]
    if not whole:
        return 1.0
    step = math.gcd(*whole)
    whole = [value // step for value in whole]
    observed = abs(sum(whole))
    reach = sum(map(abs, whole))
    if reach * len(whole) <= EXACT_STEPS:
        return _exact_tail([abs(value) for value in whole], observed)
    sizes = np.array([float(abs(d)) for d in differences if d])
    target = abs(float(sum(differences))) - 1e-12
    hits = sum(
        int((np.abs((rng.integers(0, 2, size=(1_000, len(sizes))) * 2 - 1) @ sizes) >= target).sum())
        for _ in range(MONTE_CARLO_DRAWS // 1_000)
    )
    return (hits + 1) / (MONTE_CARLO_DRAWS + 1)


def _exact_tail(sizes: Sequence[int], observed: int) -> float:
    """Chance that ``|sum of +-size|`` reaches ``observed``, every sign a fair coin."""
    total = sum(sizes)
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    reached = 0
    for size in sizes:
        reached += size
        chance[: reached + 1] /= 2
        chance[size : reached + 1] += chance[: reached + 1 - size].copy()
    sums = np.abs(2 * np.arange(total + 1) - total)
    return min(1.0, float(chance[sums >= observed].sum()))


def newcombe(both: int, won: int, lost: int, neither: int) -> Interval:
    """Interval of the difference of two paired proportions.

    Newcombe's square-and-add of two Wilson intervals with the corrected correlation (Newcombe 1998,
    Statistics in Medicine 17:2635, method 10); it keeps a width where no problem is won or lost.

    Args:
        both: Problems that both arms pass.
        won: Problems that only the arm passes.
        lost: Problems that only the baseline passes.
        neither: Problems that neither passes.
    """
    count = both + won + lost + neither
    first, second = (both + won) / count, (both + lost) / count
    low_1, high_1 = wilson(both + won, count)
    low_2, high_2 = wilson(both + lost, count)
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    product = both * neither - won * lost
    corrected = max(product - count / 2, 0.0) if product > 0 else product
    phi = corrected / math.sqrt(margins) if margins else 0.0

    def reach(x: float, y: float) -> float:
        return math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))

    difference = first - second
    return (
        difference - reach(first - low_1, high_2 - second),
        difference + reach(high_1 - first, second - low_2),
    )


def difference_interval(
    arm: NDArray[np.float64], baseline: NDArray[np.float64], rng: np.random.Generator
) -> Interval | None:
    """95 % interval of the mean difference over problems.

    Where every seed of an arm agrees on every problem and rates are 0 or 1 (one greedy run is the
    usual case), the two arms are one table of pairs: Newcombe. Otherwise a bootstrap of the pairs;
    an arm with three seeds or more has its seeds resampled too, crossed with the problems.

    Args:
        arm: Pass rates, shape ``(seeds, problems)``.
        baseline: Same problems, shape ``(its seeds, problems)``.
        rng: Draws the resamples.

    Returns:
        None where no interval is honest: no problems, or a bootstrap without any spread.
    """
    if not arm.shape[1]:
        return None
    if _decided(arm) and _decided(baseline):
        a, b = arm[0] == 1, baseline[0] == 1
        return newcombe(int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum()))
    problems = draw_problems(arm.shape[1], rng)
    means = resampled_means(arm, problems, rng) - resampled_means(baseline, problems, rng)
    low, high = percentiles(means)
    return None if low == high else (max(low, -1.0), min(high, 1.0))


def _decided(rates: NDArray[np.float64]) -> bool:
    """Whether every problem passes always or never."""
    always_or_never = ((rates == 0) | (rates == 1)).all()
    return bool(always_or_never and (rates == rates[0]).all())
