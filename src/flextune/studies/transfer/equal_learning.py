"""Which family keeps more at equal learning: a reference beside every other one.

An arm that learns less forgets less, so arms at their own places cannot be compared. The line through the
arms of a family says what it keeps at each level of learning. It is read at the levels of the reference's
arms. Where none of them can be told (an arm that is alone has no line at all), the reference's line is read
at the levels of the other family's arms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from flextune.records import VerdictWord
from flextune.statistics.components import Floats
from flextune.statistics.decision import MARGIN, verdict
from flextune.statistics.multiplicity import holm
from flextune.statistics.resampling import Resampled, Resamples, resample
from flextune.studies.transfer.families import Family, own_arms
from flextune.studies.transfer.plane import Plane


@dataclass(frozen=True, slots=True)
class Level:
    """The reference against a family at one level of learning.

    Attributes:
        arm: Whose learning it is.
        learned: The level, as a share.
        reference: What the reference keeps there; nan where its line does not reach the level.
        other: What the other family keeps there.
        difference: The reference minus the other; None where that cannot be told.
    """

    arm: str
    learned: float
    reference: float
    other: float
    difference: Resampled | None


@dataclass(frozen=True, slots=True)
class EqualLearning:
    """The reference against one family.

    Attributes:
        reference: The reference.
        other: The family.
        levels: At each level that was tried.
        difference: Mean over the levels at which both can be told; None where there is none.
        adjusted_p: Adjusted for the number of families (Holm); None where nothing can be told.
        verdict: By the rule of every comparison that was not named before the run.
        reach: The levels between which the other family's line lies, as shares.
        reference_reach: The same of the reference.
    """

    reference: Family
    other: Family
    levels: tuple[Level, ...]
    difference: Resampled | None
    adjusted_p: float | None
    verdict: VerdictWord
    reach: tuple[float, float]
    reference_reach: tuple[float, float]

    @property
    def told(self) -> tuple[Level, ...]:
        """The levels at which both can be told."""
        return tuple(level for level in self.levels if level.difference is not None)


def reference_family(families: Sequence[Family]) -> Family | None:
    """The paper's penalty at several strengths, else the family of most arms; None without a family."""
    lines = [family for family in families if len(family.arms) > 1]
    return max(lines, key=lambda family: (family.fourier, len(family.arms)), default=None)


def equal_learning(plane: Plane, margin: float = MARGIN) -> list[EqualLearning]:
    """The reference family against every other one; [] where there is no family.

    Args:
        plane: Points and families.
        margin: Within it two families keep the same.
    """
    reference = reference_family(plane.families)
    if reference is None:
        return []
    tried = [
        (family, arm)
        for family in plane.families
        if family is not reference
        for arm in (*own_arms(reference, [family]), *own_arms(family, [reference]))
    ]
    if not tried:
        return []
    names = [point.arm for point in plane.points]
    resamples = _resampled(plane, reference, tried)
    means = np.array([[*_coordinates(plane, "learned"), *_coordinates(plane, "kept")]])
    compared = []
    for family in dict.fromkeys(family for family, _ in tried):
        all_levels = [
            (place, _level(means, names, reference, family, arm, resamples.mean([place])))
            for place, (other, arm) in enumerate(tried)
            if other is family
        ]
        levels = _read(all_levels, reference)
        told = [place for place, level in levels if level.difference is not None]
        compared.append((family, tuple(level for _, level in levels), resamples.mean(told)))
    p_values = iter(holm([mean.p_value for _, _, mean in compared if mean is not None]))
    return [
        EqualLearning(
            reference,
            family,
            levels,
            mean,
            next(p_values) if mean is not None else None,
            _verdict(mean, margin),
            _reach(plane, family),
            _reach(plane, reference),
        )
        for family, levels, mean in compared
    ]


def _read(levels: Sequence[tuple[int, Level]], reference: Family) -> list[tuple[int, Level]]:
    """The levels of the reference's arms if one of them can be told; else those of the family's own."""
    of_reference = [pair for pair in levels if pair[1].arm in reference.arms]
    if any(level.difference is not None for _, level in of_reference):
        return of_reference
    return [pair for pair in levels if pair not in of_reference] or of_reference


def _resampled(plane: Plane, reference: Family, tried: Sequence[tuple[Family, str]]) -> Resamples:
    names = [point.arm for point in plane.points]
    rates = [
        *(point.learned.rates for point in plane.points),
        *(point.kept.rates for point in plane.points),
    ]

    def differences(means: Floats) -> Floats:
        return np.stack(
            [np.subtract(*_both(means, names, reference, family, names.index(arm))) for family, arm in tried],
            axis=-1,
        )

    return resample(rates, differences)


def _both(
    means: Floats, names: Sequence[str], reference: Family, family: Family, place: int
) -> tuple[Floats, Floats]:
    """What the reference and the other family keep at the learning of one arm, shape ``(draws,)`` each."""
    learned, kept = means[:, : len(names)], means[:, len(names) :]

    def at_level(line: Family) -> Floats:
        if names[place] in line.arms:
            return kept[:, place]
        columns = [names.index(arm) for arm in line.arms]
        return kept_at(learned[:, columns], kept[:, columns], learned[:, place])

    return at_level(reference), at_level(family)


def kept_at(learned: Floats, kept: Floats, level: Floats) -> Floats:
    """What a family keeps where it learns as much as ``level``, on straight lines between its arms.

    Args:
        learned: Of each arm in the order of their strength, shape ``(draws, arms)``.
        kept: Same shape.
        level: Shape ``(draws,)``.

    Returns:
        Shape ``(draws,)``; the mean where the line passes the level more than once, nan where it never does.
    """
    start, end, wanted = learned[:, :-1], learned[:, 1:], level[:, None]
    length = end - start
    passed = ((start - wanted) * (end - wanted) <= 0) & (length != 0)
    share = np.divide(wanted - start, length, out=np.zeros_like(length), where=passed)
    values = np.where(passed, kept[:, :-1] + share * (kept[:, 1:] - kept[:, :-1]), 0.0)
    count = passed.sum(axis=1)
    return np.divide(values.sum(axis=1), count, out=np.full(len(level), np.nan), where=count > 0)


def _level(
    means: Floats,
    names: Sequence[str],
    reference: Family,
    family: Family,
    arm: str,
    difference: Resampled | None,
) -> Level:
    place = names.index(arm)
    ours, theirs = _both(means, names, reference, family, place)
    return Level(arm, float(means[0, place]), float(ours[0]), float(theirs[0]), difference)


def _coordinates(plane: Plane, side: str) -> Iterator[float]:
    return (getattr(point, side).value for point in plane.points)


def _reach(plane: Plane, family: Family) -> tuple[float, float]:
    levels = [plane.point(arm).learned.value for arm in family.arms]
    return min(levels), max(levels)


def _verdict(mean: Resampled | None, margin: float) -> VerdictWord:
    if mean is None:
        return "not compared"
    return verdict(mean.p_value, mean.low, mean.high, subject=mean.subject, margin=margin)
