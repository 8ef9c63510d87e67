"""Many tests at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a family.

    Attributes:
        p_value: Not adjusted.
        data: Tests of equal data are copies of one another and count once.
        decidable: Whether any outcome could have given another p-value than 1.
    """

    p_value: float
    data: Hashable
    decidable: bool


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number by Holm's step-down (Holm 1979, Scand. J. Statist. 6:65)."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def adjusted(tests: Sequence[Test]) -> list[float]:
    """Holm's p-values of a family in which nothing counts that cannot decide anything.

    A copy has the adjusted p-value of what it copies (the merged form of an adapter often passes the same
    programs). A test that no outcome could have made smaller than 1 keeps its 1 and is not counted (Tarone
    1990, Biometrics 46:515): 0 of n in both arms is no test.
    """
    counted = {test.data: test.p_value for test in tests if test.decidable}
    by_data = dict(zip(counted, holm(list(counted.values())), strict=True))
    return [by_data[test.data] if test.decidable else 1.0 for test in tests]
