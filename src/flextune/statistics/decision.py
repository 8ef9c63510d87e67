"""The one rule by which a comparison is decided, for the page, the terminal, ``compare`` and Python."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from scipy import stats

from flextune.records import Comparison, Subject, VerdictWord
from flextune.statistics.components import CONFIDENCE, TRAININGS_FOR_A_METHOD

SIGNIFICANT = 1 - CONFIDENCE
#: Arms whose difference lies within this margin are the same, unless an experiment says otherwise.
MARGIN = 0.02
#: Chance to show a difference that ``detectable`` stands for.
POWER = 0.8

Direction = Literal["rises", "falls", "none"]


def subject(trainings: tuple[int, int]) -> Subject:
    """What two arms with so many trainings can be compared about.

    Args:
        trainings: Of the arm and of the baseline; 0 for a model that was not trained here.
    """
    if trainings == (0, 0):
        return "models"
    enough = all(count == 0 or count >= TRAININGS_FOR_A_METHOD for count in trainings)
    return "method" if enough else "weights"


def decided(comparison: Comparison, adjusted_p: float | None) -> Comparison:
    """The comparison with its adjusted p-value and its verdict."""
    word = verdict(
        comparison.p_value,
        comparison.low,
        comparison.high,
        subject=comparison.subject,
        margin=comparison.margin,
        primary=comparison.primary,
        adjusted_p=adjusted_p,
    )
    return replace(comparison, adjusted_p=adjusted_p, verdict=word)


def direction(comparison: Comparison) -> Direction:
    """Which way a comparison was decided; ``none`` where no difference was shown."""
    if comparison.verdict not in ("certain", "likely"):
        return "none"
    return "rises" if comparison.difference > 0 else "falls"


def detectable(low: float, high: float) -> float:
    """The difference that an interval of this width leaves out 0 for, in ``POWER`` of all experiments.

    Half the width is what is shown in every second one.
    """
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    return min((high - low) / 2 * (1 + float(stats.norm.ppf(POWER)) / reach), 1.0)


def verdict(
    p_value: float | None,
    low: float | None,
    high: float | None,
    *,
    subject: Subject,
    margin: float = MARGIN,
    primary: bool = False,
    adjusted_p: float | None = None,
) -> VerdictWord:
    """``certain``, ``likely``, ``same``, ``undecided`` or ``not compared``.

    - Nothing is compared where no problem is known to both, or where too many are unknown to one.
    - Nothing is decided about a method by fewer than three trainings: the numbers hold for these weights.
    - A difference needs the test (p below 5 %) and the interval (0 outside). It is certain if it was named
      before the run and p stays below 5 % after adjustment for the number of comparisons; else it is likely.
    - Two arms are the same where the whole interval lies within the margin.
    """
    if p_value is None:
        return "not compared"
    if low is None or high is None or subject == "weights":
        return "undecided"
    if p_value < SIGNIFICANT and (low > 0 or high < 0):
        certain = primary and adjusted_p is not None and adjusted_p < SIGNIFICANT
        return "certain" if certain else "likely"
    return "same" if -margin <= low and high <= margin else "undecided"
