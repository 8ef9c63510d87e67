"""The configurations of a sweep beside their baseline, on the problems that all of them answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flextune.records import Score
from flextune.statistics.components import Floats
from flextune.statistics.tally import tally
from flextune.statistics.unknown import MOST_ALONE, unknown


@dataclass(frozen=True, slots=True)
class Field:
    """What is chosen from.

    Attributes:
        baseline: What every configuration is compared with.
        configurations: Scores of the same setting; the name of each is its ``arm``.
        problems: Those whose outcome is known for the baseline and for every configuration, sorted.
        rates: Pass rates, shape ``(configurations, problems)``.
        baseline_rates: Pass rates of the baseline, shape ``(problems,)``.
        left_out: Configurations with so many unknown outcomes that nothing can be said about them.
    """

    baseline: Score
    configurations: Sequence[Score]
    problems: tuple[str, ...]
    rates: Floats
    baseline_rates: Floats
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, configurations: Sequence[Score], baseline: Score) -> Field:
        """A field without the configurations whose unknown outcomes forbid a comparison with the baseline."""
        usable = [score for score in configurations if unknown(score, baseline).share <= MOST_ALONE]
        kept = {score.arm for score in usable}
        known = set(tally(baseline).problems).intersection(*(tally(score).problems for score in usable))
        problems = tuple(sorted(known))
        rows = [_rates(score, problems) for score in usable]
        return cls(
            baseline,
            tuple(usable),
            problems,
            np.array(rows, dtype=np.float64).reshape(len(rows), len(problems)),
            _rates(baseline, problems),
            tuple(score.arm for score in configurations if score.arm not in kept),
        )

    def best(self, among: Collection[str] | None = None) -> int:
        """The configuration with the highest mean pass rate; of equals the first.

        Args:
            among: Problems that decide; None: all.
        """
        chosen = self.rates if among is None else self.rates[:, self._columns(among)]
        # Sums of the same outcomes in another order differ in their last digits.
        return int(np.argmax(np.round(chosen.mean(axis=1), 12)))

    def _columns(self, names: Collection[str]) -> list[int]:
        return [place for place, name in enumerate(self.problems) if name in names]


def restricted(score: Score, names: Collection[str]) -> Score:
    """The score on some of its problems."""
    outcomes = {
        seed: {name: found for name, found in runs.items() if name in names}
        for seed, runs in score.outcomes.items()
    }
    return replace(score, outcomes=outcomes, estimates=())


def _rates(score: Score, problems: Sequence[str]) -> Floats:
    return tally(score, problems).rates().mean(axis=0)
