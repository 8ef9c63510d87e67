"""Choose on one half and report on the other, both ways round, over many splits: all problems are used.

One split uses half of the problems for the report, and another split could have chosen another configuration.
Here every problem reports, and none has a hand in what it reports on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flextune.records import Comparison
from flextune.statistics.decision import SIGNIFICANT
from flextune.statistics.selection.field import Field, restricted
from flextune.statistics.selection.halves import Halves, split
from flextune.statistics.summary import compare

#: Splits; each gives two reports.
SPLITS = 20


@dataclass(frozen=True, slots=True)
class CrossFit:
    """The gain of choosing one of the configurations on half of the problems.

    Attributes:
        difference: Mean over splits and directions of chosen minus baseline, on the problems that did not
            choose.
        low: Lower end of its 95 % interval; None where a report has none.
        high: Upper end.
        p_value: Two-sided; None where a report has none.
        rate: Mean pass rate of what was chosen, on the problems that did not choose.
        chosen: Configuration to the share of the choices that took it, the most frequent first.
        splits: How many.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    rate: float
    chosen: dict[str, float]
    splits: int

    @property
    def shown(self) -> bool:
        """Whether a difference is shown, as for every comparison: by the test and by the interval."""
        if self.p_value is None or self.low is None or self.high is None:
            return False
        return self.p_value < SIGNIFICANT and (self.low > 0 or self.high < 0)


def cross_fit(field: Field, seed: int, splits: int = SPLITS) -> CrossFit:
    """Report what choosing gains.

    - Each report is an ordinary comparison, by the one rule, of the chosen configuration with the baseline on
      problems that did not choose it: its p-value is valid whatever was chosen from.
    - The two reports of a split are tests of one hypothesis, whose choices depend on each other: the smaller
      p-value is doubled (Bonferroni). Over splits twice the median counts, which is valid whatever the
      dependence (Meinshausen, Meier and Buehlmann 2009, JASA 104:1671).
    - The interval's ends are the means of the reports' ends: the error of a mean is no larger than the mean
      of the errors, whatever their dependence.

    Args:
        field: Configurations that were fixed before any outcome was seen, as in a grid. What was proposed
            from outcomes of these problems, or stopped by them, has no valid report here.
        seed: Of the splits.
        splits: How many.
    """
    strata = dict(zip(field.problems, field.baseline_rates.tolist(), strict=True))
    reports = [
        (field.configurations[field.best(halves.choosing)].arm, report)
        for number in range(splits)
        for halves in _both_ways(split(strata, seed * splits + number))
        for report in [_report(field, halves)]
    ]
    comparisons = [report for _, report in reports]
    counted = Counter(arm for arm, _ in reports)
    lows, highs = ([getattr(c, end) for c in comparisons] for end in ("low", "high"))
    known = None not in lows and None not in highs
    return CrossFit(
        difference=float(np.mean([c.difference for c in comparisons])),
        low=float(np.mean(lows)) if known else None,
        high=float(np.mean(highs)) if known else None,
        p_value=_combined([c.p_value for c in comparisons]),
        rate=float(np.mean([c.rate for c in comparisons])),
        chosen={arm: count / len(reports) for arm, count in counted.most_common()},
        splits=splits,
    )


def _both_ways(halves: Halves) -> Iterator[Halves]:
    yield halves
    yield halves.swapped


def _report(field: Field, halves: Halves) -> Comparison:
    chosen = field.configurations[field.best(halves.choosing)]
    return compare(restricted(chosen, halves.reporting), restricted(field.baseline, halves.reporting))


def _combined(p_values: list[float | None]) -> float | None:
    """Twice the median over splits of twice the smaller p-value of a split's two reports."""
    if None in p_values or not p_values:
        return None
    pairs = np.array(p_values, dtype=np.float64).reshape(-1, 2)
    of_split = np.minimum(2 * pairs.min(axis=1), 1.0)
    return float(min(2 * np.median(of_split), 1.0))
