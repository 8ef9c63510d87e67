"""Problems whose outcome is not known: how many, on which side, and when that forbids a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from flextune.records import UNKNOWN_OUTCOMES, Score

#: Share of the problems that may be unknown in one arm alone. Up to it, the interval is widened by that
#: share, which is the most that they could have changed; beyond it nothing is claimed.
MOST_ALONE = 0.01


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is not known on either side of a comparison.

    Attributes:
        verdicts: In the arm and in the baseline.
        alone: Problems that are unknown in the arm only, and in the baseline only.
        share: Of the problems that one side or both know: those that only one knows.
    """

    verdicts: tuple[int, int]
    alone: tuple[int, int]
    share: float

    @property
    def forbids(self) -> bool:
        """Whether what is missing differs so much between the arms that it could make a difference."""
        return self.share > MOST_ALONE


def unknown(arm: Score, baseline: Score) -> Unknown:
    """Count what is not known.

    A problem that a file does not hold at all is another set of problems, not an unknown outcome.
    """
    first, second = _unknown_problems(arm), _unknown_problems(baseline)
    known_to_first, known_to_second = _problems(arm) - first, _problems(baseline) - second
    alone = (len(first & known_to_second), len(second & known_to_first))
    considered = len(known_to_first & known_to_second) + sum(alone)
    return Unknown(
        (_verdicts(arm), _verdicts(baseline)), alone, sum(alone) / considered if considered else 0.0
    )


def _problems(score: Score) -> set[str]:
    return {name for runs in score.outcomes.values() for name in runs}


def _unknown_problems(score: Score) -> set[str]:
    return {
        name
        for runs in score.outcomes.values()
        for name, outcomes in runs.items()
        if not UNKNOWN_OUTCOMES.isdisjoint(outcomes)
    }


def _verdicts(score: Score) -> int:
    return sum(
        outcome in UNKNOWN_OUTCOMES
        for runs in score.outcomes.values()
        for outcomes in runs.values()
        for outcome in outcomes
    )
