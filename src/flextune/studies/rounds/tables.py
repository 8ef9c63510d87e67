"""The paper's numbers beside ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from flextune.languages import language_name
from flextune.records import Estimate, Score
from flextune.report.formats import UNDEFINED, interval, percent, points
from flextune.report.labels import benchmark_title
from flextune.report.run_data import RunData
from flextune.report.tables import Table
from flextune.statistics.intervals import wilson
from flextune.statistics.paired import square_and_add
from flextune.studies.rounds.claims import DECODING, ClaimVerdict
from flextune.studies.rounds.paper import PaperScore, paper_scores

#: Benchmarks whose numbers are of the same problems as the paper's.
COMPARABLE = ("humaneval", "multipl-e")
_WORDS = {"reserved": "taught words", "base": "old words"}


def score_table(run: RunData) -> Table:
    """A row for each score of the paper whose arm the run has; two on a benchmark of two wordings."""
    rows = [row for paper in paper_scores() for row in _rows(paper, run)]
    same = any(score.benchmark in COMPARABLE for score in run.scores)
    note = (
        "pass@1 in per cent with 95 % intervals, greedy. The difference is ours minus the paper's; its"
        " interval has the paper's own uncertainty (one run of each problem) too."
        if same
        else "pass@1 in per cent with 95 % intervals, greedy. Another model on other problems: the levels are"
        " not comparable with the paper's. Compare the directions, below."
    )
    return Table(
        "pass@1: the paper's and ours",
        ("round", "model", "measured on", "paper", "ours", "difference"),
        tuple(rows),
        note,
        align="lllrrr",
    )


def _rows(paper: PaperScore, run: RunData) -> Iterator[tuple[str, ...]]:
    for score in run.scores:
        if (score.arm, score.language, score.decoding) != (paper.arm, paper.language, DECODING):
            continue
        ours = next((each for each in score.estimates if each.metric == "pass@1"), None)
        if ours is None:
            continue
        yield (
            paper.round,
            paper.what,
            _place(score),
            f"{paper.percent:g}",
            f"{percent(ours.value)} {interval(ours.low, ours.high)}".rstrip(),
            _difference(ours, paper) if score.benchmark == paper.benchmark else UNDEFINED,
        )


def _place(score: Score) -> str:
    words = f", {_WORDS.get(score.lexicon, score.lexicon)}" if score.lexicon else ""
    return f"{benchmark_title(score.benchmark)}, {language_name(score.language)}{words}"


def _difference(ours: Estimate, paper: PaperScore) -> str:
    difference = ours.value - paper.rate
    if ours.low is None or ours.high is None:
        return points(difference)
    theirs = wilson(round(paper.rate * paper.problems), paper.problems)
    low, high = square_and_add(
        np.array(ours.value), (ours.low, ours.high), np.array(paper.rate), theirs, correlation=0.0
    )
    return f"{points(difference)} {interval(float(low), float(high), signed=True)}"


def claim_table(verdicts: list[ClaimVerdict]) -> Table:
    """A row for each claim."""
    rows = tuple((each.claim.says, each.claim.where, each.decision, each.words) for each in verdicts)
    return Table(
        "The paper's claims",
        ("claim", "in the paper", "verdict", "measured"),
        rows,
        "A claim holds, or does not, where the comparison is decided; docs/statistics.md says how. The"
        " comparisons were named before the run and are adjusted for their number.",
        align="lqlq",
    )


def tally(verdicts: list[ClaimVerdict]) -> str:
    """How many claims hold, do not, and could not be told."""
    counts = Counter(each.decision for each in verdicts)
    return ", ".join(f"{count} {decision}" for decision, count in counts.items())
