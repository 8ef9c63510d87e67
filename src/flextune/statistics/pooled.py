"""Mean pass@1 over several settings, as one table: Java and JavaScript together, each counted alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from flextune.records import Score
from flextune.statistics.components import Floats
from flextune.statistics.intervals import Interval, interval
from flextune.statistics.paired import Pair, difference_interval, newcombe
from flextune.statistics.tally import tally, trainings


@dataclass(frozen=True, slots=True)
class Part:
    """One setting's pass rates.

    Attributes:
        problems: Names of the columns.
        rates: Shape ``(seeds, problems)``.
        runs: Samples of each problem, over all seeds.
    """

    problems: tuple[str, ...]
    rates: Floats
    runs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pooled:
    """One arm in one or several settings.

    Attributes:
        seeds: Those that all settings have.
        parts: A table for each setting.
        trainings: Trainings behind them; 0 for a model that was not trained here.
        single_run: Whether it is one setting, one seed and one sample a problem.
    """

    seeds: tuple[str, ...]
    parts: tuple[Part, ...]
    trainings: int
    single_run: bool

    @property
    def value(self) -> float:
        """Mean over settings of pass@1; nan without a problem in one of them."""
        means = [part.rates.mean() if part.rates.size else np.nan for part in self.parts]
        return float(np.mean(means))

    @property
    def problems(self) -> tuple[str, ...]:
        """Every name once, sorted: a problem in two languages is one that is met twice."""
        return tuple(sorted({name for part in self.parts for name in part.problems}))

    def table(self) -> Floats:
        """What each problem adds to the value, shape ``(seeds, problems)``; its mean is the value.

        A problem that several settings pose has their mean in one column, so that what it does to all of them
        at once is in its spread.
        """
        names = self.problems
        columns = {name: column for column, name in enumerate(names)}
        table = np.zeros((len(self.seeds), len(names)))
        for part in self.parts:
            weight = len(names) / len(part.problems) / len(self.parts)
            table[:, [columns[name] for name in part.problems]] += weight * part.rates
        return table

    def interval(self) -> Interval | None:
        """95 % interval of the value; None where none is honest."""
        return interval(self.table(), self.single_run)[0]


def pooled(scores: Sequence[Score], known: Sequence[Collection[str]]) -> Pooled:
    """One arm's scores as one.

    Args:
        scores: One for each setting.
        known: The problems of each setting that count: those whose outcome every arm knows.
    """
    seeds = tuple(sorted(set.intersection(*(set(score.outcomes) for score in scores))))
    counts = [tally(score, names) for score, names in zip(scores, known, strict=True)]
    parts = tuple(
        Part(
            each.problems,
            each.rates()[[each.seeds.index(seed) for seed in seeds]],
            tuple(each.samples.sum(axis=0).tolist()),
        )
        for each in counts
    )
    single = len(counts) == 1 and counts[0].single_run
    return Pooled(seeds, parts, min(trainings(score) for score in scores), single)


def pooled_difference(arm: Pooled, baseline: Pooled) -> Interval | None:
    """95 % interval of the difference of two arms in the same settings; None where none is honest."""
    if not arm.seeds or not baseline.seeds:
        return None
    if arm.single_run and baseline.single_run:
        ours, theirs = (one.table()[0] > 0.5 for one in (arm, baseline))
        won, lost = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
        both = int((ours & theirs).sum())
        return newcombe(both, won, lost, len(ours) - both - won - lost)
    return difference_interval(
        Pair(
            arm.table(),
            baseline.table(),
            arm_trained=arm.trainings > 0,
            baseline_trained=baseline.trainings > 0,
            by_seed=arm.seeds == baseline.seeds,
            equal_runs=[part.runs for part in arm.parts] == [part.runs for part in baseline.parts],
        )
    )
