"""Intervals of numbers that are no means: a point of a line through several arms, for one.

Seeds and problems are drawn again with replacement, the same ones for every arm, and the number is computed
from each draw. Problems are drawn with the seeds held, seeds with the problems held, and both at once. That
gives the variances that ``components`` has formulas for, and the interval joins them as every other
comparison does: each with the quantile of its own degrees of freedom, so that three seeds count as three. The
three kinds of draws have the variances ``P + c``, ``S + c`` and ``P + S + 3 c``, where ``c`` is the noise of
single cells: the first two taken off the third leave ``c``.

The draws come from a fixed seed: equal outcomes give equal intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from flextune.records import Subject
from flextune.statistics.components import (
    CELL_NOISE_TAKEN_OFF,
    CONFIDENCE,
    TRAININGS_FOR_A_METHOD,
    Component,
    Floats,
    squared_reach,
)
from flextune.statistics.exchange import SMALLEST
from flextune.statistics.paired import UNSEEN_DISAGREEMENT
from flextune.statistics.pooled import Pooled

#: Of each kind.
DRAWS = 1_000
#: Share of the draws in which a number may have no value; beyond, nothing can be told.
UNDEFINED_DRAWS = 0.05

#: Mean pass rates, shape ``(draws, arms)``, to numbers, shape ``(draws, numbers)``; nan: no value.
Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Resampled:
    """A number with its interval.

    Attributes:
        value: From the outcomes themselves.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p_value: The level whose interval just leaves out 0.
        subject: ``weights`` where fewer than three trainings say nothing about a method.
    """

    value: float
    low: float
    high: float
    p_value: float
    subject: Subject


@dataclass(frozen=True, slots=True)
class Resamples:
    """Numbers in every draw.

    Attributes:
        values: From the outcomes themselves, shape ``(numbers,)``.
        by_problem: With problems drawn, shape ``(draws, numbers)``.
        by_seed: With seeds drawn; None where there are too few trainings to draw from.
        by_both: With both drawn; None as ``by_seed``.
        problems: How many were drawn from.
        seeds: How many were drawn from.
    """

    values: Floats
    by_problem: Floats
    by_seed: Floats | None
    by_both: Floats | None
    problems: int
    seeds: int

    def defined(self) -> NDArray[np.bool_]:
        """Which numbers have a value, and have one in nearly every draw."""
        known = ~np.isnan(self.values)
        for drawn in (self.by_problem, self.by_seed, self.by_both):
            if drawn is not None:
                known &= np.isnan(drawn).mean(axis=0) <= UNDEFINED_DRAWS
        return np.asarray(known)

    def mean(self, places: Sequence[int]) -> Resampled | None:
        """Of the mean of some numbers; None where one of them is not defined, or there is none."""
        chosen = list(places)
        if not chosen or not self.defined()[chosen].all() or self.problems < 2:
            return None
        value, components = float(self.values[chosen].mean()), self._components(chosen)
        reach = math.sqrt(float(squared_reach(components, 1 - CONFIDENCE)))
        subject: Subject = "weights" if self.by_seed is None else "method"
        return Resampled(value, value - reach, value + reach, _level(value, components), subject)

    def _components(self, chosen: list[int]) -> list[Component]:
        """As ``components.of_problems`` and ``of_seeds`` of a mean."""
        unseen = UNSEEN_DISAGREEMENT / (self.problems * (self.problems - 1))
        of_problems = _variance(self.by_problem, chosen)
        # A draw of n has n - 1 parts in n of the variance: with three seeds that is a third less.
        whole = of_problems * self.problems / (self.problems - 1)
        components = [Component(np.asarray(whole + unseen), self.problems - 1)]
        if self.by_seed is not None and self.by_both is not None:
            of_seeds = _variance(self.by_seed, chosen)
            noise = max(_variance(self.by_both, chosen) - of_problems - of_seeds, 0.0)
            spread = max(of_seeds - CELL_NOISE_TAKEN_OFF * noise, 0.0) * self.seeds / (self.seeds - 1)
            components.append(Component(np.asarray(spread), self.seeds - 1))
        return components


def resample(arms: Sequence[Pooled], statistic: Statistic, *, seed: int = 0, draws: int = DRAWS) -> Resamples:
    """Compute numbers from the outcomes and from every draw.

    Args:
        arms: Pass rates; what has the same seed, or the same problem, is drawn together.
        statistic: Mean pass rates of all arms to numbers.
        seed: Of the draws.
        draws: How many, of problems and of seeds.
    """
    rng = np.random.default_rng(seed)
    problems = sorted({name for arm in arms for name in arm.problems})
    seeds = sorted({name for arm in arms if arm.trainings for name in arm.seeds})
    enough = len(seeds) >= TRAININGS_FOR_A_METHOD

    def drawn(problem_times: Floats, seed_times: Floats) -> Floats:
        columns = [_drawn(arm, problems, problem_times, seeds, seed_times) for arm in arms]
        return statistic(np.stack(columns, axis=-1))

    every_problem, every_seed = np.ones((draws, len(problems))), np.ones((draws, len(seeds)))
    return Resamples(
        values=drawn(every_problem[:1], every_seed[:1])[0],
        by_problem=drawn(_times(len(problems), draws, rng), every_seed),
        by_seed=drawn(every_problem, _times(len(seeds), draws, rng)) if enough else None,
        by_both=drawn(_times(len(problems), draws, rng), _times(len(seeds), draws, rng)) if enough else None,
        problems=len(problems),
        seeds=len(seeds),
    )


def _drawn(
    arm: Pooled, problems: Sequence[str], problem_times: Floats, seeds: Sequence[str], seed_times: Floats
) -> Floats:
    """Mean pass rate in every draw, shape ``(draws,)``; nan where nothing of the arm was drawn.

    Args:
        arm: What was not trained here has the same runs in every draw.
        problems: Names of all problems.
        problem_times: How often each was drawn, shape ``(draws, problems)``.
        seeds: Names of all seeds.
        seed_times: How often each was drawn, shape ``(draws, seeds)``.
    """
    if arm.trainings:
        rows = seed_times[:, [seeds.index(seed) for seed in arm.seeds]]
    else:
        rows = np.ones((len(problem_times), len(arm.seeds)))
    places = {name: place for place, name in enumerate(problems)}
    means = []
    for part in arm.parts:
        columns = problem_times[:, [places[name] for name in part.problems]]
        total = rows.sum(axis=1) * columns.sum(axis=1)
        sums = ((rows @ part.rates) * columns).sum(axis=1)
        means.append(np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0))
    return np.asarray(np.mean(means, axis=0))


def _times(count: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each of some things is drawn, shape ``(draws, count)``."""
    return rng.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)


def _variance(drawn: Floats, chosen: list[int]) -> float:
    """Of the mean of some numbers over the draws."""
    return float(np.nanvar(_means(drawn[:, chosen])))


def _means(table: Floats) -> Floats:
    """Of each row, what is nan left out; nan where all is."""
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    sums = np.where(known, table, 0.0).sum(axis=1)
    return np.divide(sums, count, out=np.full(len(table), np.nan), where=count > 0)


def _level(value: float, components: list[Component]) -> float:
    """The level at which an interval ends at 0."""

    def beyond(exponent: float) -> float:
        return float(squared_reach(components, 10.0**exponent)) - value**2

    low = math.log10(SMALLEST)
    if beyond(0.0) >= 0:
        return 1.0
    if beyond(low) <= 0:
        return SMALLEST
    return float(10.0 ** optimize.brentq(beyond, low, 0.0))
