"""The interval of a difference on the same problems: Newcombe's, and its likes for crossed tables."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from flextune.statistics.components import CONFIDENCE, Component, Floats, of_problems, of_seeds, squared_reach
from flextune.statistics.exchange import SMALLEST
from flextune.statistics.intervals import Interval, relative_spread, wilson, wilson_ends

#: One problem more on which the arms disagree altogether, half of it in each direction: equal outcomes on 40
#: problems do not show that the arms are equal on the next.
UNSEEN_DISAGREEMENT = 1.0

#: Halvings of the range of p-values, from 1 to ``SMALLEST``: twelve digits of the exponent.
BISECTIONS = 40


def mcnemar_p_value(won: int, lost: int) -> float:
    """Exact two-sided McNemar test of two single runs (McNemar 1947, Psychometrika 12:153).

    Under the null hypothesis each problem on which the arms disagree is a fair coin.

    Args:
        won: Problems that only the arm passes.
        lost: Problems that only the baseline passes.
    """
    return float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0


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
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    product = both * neither - won * lost
    corrected = max(product - count / 2, 0.0) if product > 0 else product
    phi = corrected / math.sqrt(margins) if margins else 0.0
    low, high = square_and_add(
        np.asarray(first), wilson(both + won, count), np.asarray(second), wilson(both + lost, count), phi
    )
    return float(low), float(high)


def square_and_add(
    first: Floats,
    first_ends: tuple[Floats, Floats] | Interval,
    second: Floats,
    second_ends: tuple[Floats, Floats] | Interval,
    correlation: Floats | float,
) -> tuple[Floats, Floats]:
    """Interval of ``first - second`` from the interval of each and the correlation of their errors.

    Args:
        first: An estimate in [0, 1].
        first_ends: Its interval.
        second: The other estimate.
        second_ends: Its interval.
        correlation: In [-1, 1].
    """

    def reach(x: Floats, y: Floats) -> Floats:
        return np.sqrt(np.maximum(x * x - 2 * correlation * x * y + y * y, 0.0))

    difference = first - second
    return (
        difference - reach(first - first_ends[0], second_ends[1] - second),
        difference + reach(first_ends[1] - first, second - second_ends[0]),
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """The pass rates of two arms on the same problems, or of many such pairs at once.

    Attributes:
        arm: Shape ``(..., seeds, problems)``.
        baseline: Shape ``(..., its seeds, problems)``.
        arm_trained: Whether the seeds of the arm are trainings, and not draws from one model.
        baseline_trained: The same of the baseline.
        by_seed: Whether row i of both has the same seed: same start, same order of the data.
        equal_runs: Whether both have the same number of runs of every problem.
    """

    arm: Floats
    baseline: Floats
    arm_trained: bool
    baseline_trained: bool
    by_seed: bool
    equal_runs: bool

    @property
    def paired_trainings(self) -> bool:
        """Whether each training of the arm has its partner, so that their difference is one number a seed."""
        return self.by_seed and self.arm_trained and self.baseline_trained


def difference_ends(pair: Pair, level: float) -> tuple[Floats, Floats]:
    """Interval of the mean of ``arm - baseline``, shape ``(...)``; 2 problems or more.

    Problems and trainings are both samples: of problems like these, and of trainings of the same recipe. With
    equal numbers of runs the difference of two equal arms is symmetric, and its own spread is enough. With
    unequal ones it is not (a base model that is run once gives 0 or 1 where the arm gives thirds), and near 0
    and 1 that matters: then each arm has an interval of its own, and Newcombe's rule joins them.

    Args:
        pair: The rates.
        level: Chance to lie outside.
    """
    joint = squared_reach(difference_components(pair), level)
    first, second = pair.arm.mean(axis=(-2, -1)), pair.baseline.mean(axis=(-2, -1))
    if pair.equal_runs:
        reach = np.sqrt(joint)
        low, high = first - second - reach, first - second + reach
    else:
        first_ends = wilson_ends(first, _own_spread(pair.arm, pair.arm_trained, level))
        second_ends = wilson_ends(second, _own_spread(pair.baseline, pair.baseline_trained, level))
        low, high = square_and_add(first, first_ends, second, second_ends, _correlation(pair, joint, level))
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def difference_components(pair: Pair) -> list[Component]:
    """Sources of variance of the mean difference.

    Trainings of the same seed share their start and the order of the data: where both arms have the same
    seeds, the differences of each seed are one table, and what the seed does to both drops out.
    """
    difference = pair.arm.mean(axis=-2) - pair.baseline.mean(axis=-2)
    components = [of_problems(difference, extra=UNSEEN_DISAGREEMENT)]
    if pair.paired_trainings:
        seeds = [of_seeds(pair.arm - pair.baseline)]
    else:
        seeds = [
            of_seeds(pair.arm) if pair.arm_trained else None,
            of_seeds(pair.baseline) if pair.baseline_trained else None,
        ]
    return components + [component for component in seeds if component is not None]


def _own_spread(table: Floats, trained: bool, level: float) -> Floats:
    return relative_spread(table if trained else table.mean(axis=-2, keepdims=True), level)


def _correlation(pair: Pair, joint: Floats, level: float) -> Floats:
    """What makes the squares of both arms add up to that of their difference."""
    first = squared_reach(_own_components(pair.arm, pair.arm_trained), level)
    second = squared_reach(_own_components(pair.baseline, pair.baseline_trained), level)
    scale = 2 * np.sqrt(first * second)
    shared = (first + second - joint) / np.where(scale > 0, scale, 1.0)
    # An arm without any spread is correlated with nothing.
    return np.clip(np.where(scale > 0, shared, 0.0), -1.0, 1.0)


def _own_components(table: Floats, trained: bool) -> list[Component]:
    seeds = of_seeds(table) if trained else None
    return [of_problems(table.mean(axis=-2)), *([] if seeds is None else [seeds])]


def difference_level(pair: Pair, allowance: float = 0.0) -> float:
    """The level whose interval just leaves out 0: the p-value that belongs to ``difference_ends``.

    Args:
        pair: One pair, without leading axes.
        allowance: What the interval is widened by at both ends.
    """

    def leaves_out_0(exponent: float) -> bool:
        low, high = difference_ends(pair, 10.0**exponent)
        return bool(low > allowance or high < -allowance)

    if pair.arm.shape[-1] < 2 or not leaves_out_0(0.0):
        return 1.0
    # Bisection of the exponent: narrower intervals (larger levels) leave out 0 first.
    out, within = 0.0, math.log10(SMALLEST)
    if leaves_out_0(within):
        return SMALLEST
    for _ in range(BISECTIONS):
        middle = (out + within) / 2
        out, within = (middle, within) if leaves_out_0(middle) else (out, middle)
    return float(10.0**out)


def difference_interval(pair: Pair) -> Interval | None:
    """95 % interval of the mean difference; None with fewer than two problems."""
    if pair.arm.shape[-1] < 2:
        return None
    low, high = difference_ends(pair, 1 - CONFIDENCE)
    return float(low), float(high)
