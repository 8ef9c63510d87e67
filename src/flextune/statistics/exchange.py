"""Whether two models pass equally often, exactly: runs change places within each problem.

If both pass a problem with the same chance, any of its runs could have been the other model's. Given how
many of a problem's runs passed, the passes of one model are then hypergeometric; their sum over all problems
has the convolution of these. This is the exact conditional test of several 2 x 2 tables (Mehta, Patel and
Gray 1985, JASA 80:969). Numbers of runs may differ; with one run of each it is McNemar's exact test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: Smallest p-value that is told: below it the last digits depend on the machine.
SMALLEST = 1e-12
#: Ends of a distribution that are cut off, each time two are added.
NEGLIGIBLE = 1e-24


@dataclass(frozen=True, slots=True)
class Stratum:
    """The runs of one problem, or of one problem and seed.

    Attributes:
        passed: By the first model.
        runs: Of the first model.
        other_passed: By the other.
        other_runs: Of the other.
    """

    passed: int
    runs: int
    other_passed: int
    other_runs: int

    @property
    def decidable(self) -> bool:
        """Whether some of its runs passed and some did not: else every exchange leaves it as it is."""
        return 0 < self.passed + self.other_passed < self.runs + self.other_runs


@dataclass(frozen=True, slots=True)
class _Distribution:
    """Chances of ``first``, ``first + 1``, ... passes."""

    first: int
    chances: NDArray[np.float64]

    def plus(self, other: _Distribution) -> _Distribution:
        chances = np.convolve(self.chances, other.chances)
        kept = np.flatnonzero(chances > NEGLIGIBLE)
        start, end = int(kept[0]), int(kept[-1]) + 1
        return _Distribution(self.first + other.first + start, chances[start:end])

    def times(self, count: int) -> _Distribution:
        """The sum of ``count`` independent ones, by doubling."""
        result, power = _Distribution(0, np.ones(1)), self
        while count:
            if count % 2:
                result = result.plus(power)
            count //= 2
            power = power.plus(power) if count else power
        return result


def exchange_p_value(strata: Iterable[Stratum]) -> float:
    """Two-sided p-value: the smaller tail, doubled.

    Args:
        strata: Those that every exchange leaves as they are do not matter.

    Returns:
        1.0 where no exchange changes anything; never below ``SMALLEST``.
    """
    decidable = [stratum for stratum in strata if stratum.decidable]
    observed = sum(stratum.passed for stratum in decidable)
    kinds = Counter((s.passed + s.other_passed, s.runs, s.other_runs) for s in decidable)
    total = _Distribution(0, np.ones(1))
    # In a fixed order: the same problems give the same digits.
    for (passes, runs, other_runs), count in sorted(kinds.items()):
        total = total.plus(_hypergeometric(passes, runs, other_runs).times(count))
    at_least = float(total.chances[max(observed - total.first, 0) :].sum())
    at_most = float(total.chances[: max(observed - total.first + 1, 0)].sum())
    return max(min(1.0, 2 * min(at_least, at_most)), SMALLEST)


def _hypergeometric(passes: int, runs: int, other_runs: int) -> _Distribution:
    """Passes that fall to the first model, of ``passes`` in all."""
    low, high = max(0, passes - other_runs), min(passes, runs)
    chances = stats.hypergeom.pmf(np.arange(low, high + 1), runs + other_runs, passes, runs)
    return _Distribution(low, np.asarray(chances, dtype=np.float64))
