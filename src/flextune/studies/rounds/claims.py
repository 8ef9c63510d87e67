"""What a run's comparisons say to the paper's claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flextune.records import Comparison
from flextune.report.run_data import RunData
from flextune.report.verdict_words import plain, sentence
from flextune.statistics.decision import direction
from flextune.studies.rounds.paper import PaperClaim, TrainingClaim, paper_claims

Decision = Literal["holds", "probably holds", "does not hold", "cannot be told here", "was not measured"]

#: Claims are read off this decoding: the one that every arm meets.
DECODING = "greedy"


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """A claim beside what was measured.

    Attributes:
        claim: Of the paper.
        decision: As far as the measurement goes.
        words: What was measured, or why nothing was.
    """

    claim: PaperClaim | TrainingClaim
    decision: Decision
    words: str


def score_verdicts(run: RunData) -> list[ClaimVerdict]:
    """On every claim about pass@1 whose arm the run has."""
    arms = {score.arm for score in run.scores}
    return [_verdict(claim, run) for claim in paper_claims() if claim.arm in arms]


def _verdict(claim: PaperClaim, run: RunData) -> ClaimVerdict:
    found = next(_comparisons(claim, run), None)
    if found is None:
        arms = {score.arm for score in run.scores}
        missing = claim.baseline not in arms
        reason = (
            f"the run has no arm {claim.baseline}" if missing else "the run does not compare these arms there"
        )
        return ClaimVerdict(claim, "was not measured", reason)
    return ClaimVerdict(claim, decide(claim, found), plain(sentence(found)))


def _comparisons(claim: PaperClaim, run: RunData) -> Iterator[Comparison]:
    for row in run.comparisons:
        pair = (row.arm, row.baseline) == (claim.arm, claim.baseline)
        wording = row.lexicon is None or row.lexicon == claim.lexicon
        if pair and wording and row.language == claim.language and row.decoding == DECODING:
            yield row


def decide(claim: PaperClaim, measured: Comparison) -> Decision:
    """Whether a claim holds, by the verdict of the comparison that it is about.

    It holds where the difference that it expects was shown, or ``same`` where it expects none. It does not
    hold where another difference was shown, or where it expects one and the arms are the same. Nothing else
    is told by this run.
    """
    shown = direction(measured)
    if shown != "none":
        if claim.expects != shown:
            return "does not hold"
        return "holds" if measured.verdict == "certain" else "probably holds"
    if measured.verdict == "same":
        return "holds" if claim.expects == "same" else "does not hold"
    return "cannot be told here"
