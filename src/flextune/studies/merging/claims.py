"""Which use of an adapter makes a gap like the paper's, and which cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flextune.report.formats import interval, points
from flextune.studies.merging.forms import Form, Group

#: pass@1 of the paper's rounds 5 (unmerged) and 4 (merged), MBPP with the Fourier penalty (arXiv 2604.06253).
UNMERGED, MERGED = 0.4207, 0.3293

Decision = Literal["makes such a gap", "makes a smaller gap", "cannot make it", "not decided"]


@dataclass(frozen=True)
class Claim:
    """Whether one use of an adapter makes a gap.

    Attributes:
        form: The use.
        decision: As far as the interval goes.
    """

    form: Form
    decision: Decision

    @property
    def sentence(self) -> str:
        """The use, what is decided and why."""
        test = self.form.test
        assert test is not None
        span = interval(test.low, test.high, signed=True)
        return (
            f"{self.form.score.arm} ({self.form.words}; {self.form.score.decoding}): {self.decision}"
            f" ({points(test.difference)} {span} points on {test.count} problems)."
        )


def claims(groups: Sequence[Group]) -> list[Claim]:
    """On every use of an adapter but the unmerged one."""
    return [
        Claim(form, decide(form.test.low, form.test.high))
        for group in groups
        for form in group.forms
        if form.test is not None
    ]


def decide(low: float | None, high: float | None) -> Decision:
    """What an interval of merged minus unmerged says.

    Args:
        low: Its lower end.
        high: Its upper end.
    """
    gap = MERGED - UNMERGED
    if low is None or high is None:
        return "not decided"
    if high < 0:
        return "makes such a gap" if low <= gap else "makes a smaller gap"
    return "cannot make it" if low > gap else "not decided"
