"""How programs ended: every outcome's share, by setting and arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.records import Outcome, Score
from flextune.report.charts.bars import Segments, draw_stacked_bars
from flextune.report.labels import Labels, outcome_name, outcomes_present
from flextune.report.palette import OUTCOME_STYLES
from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Section
from flextune.statistics.tally import setting


@dataclass(frozen=True, slots=True)
class OutcomeShare:
    """One segment of one bar; all programs of all seeds and samples count."""

    where: str
    arm: str
    outcome: Outcome
    programs: int
    share: float


def outcomes_section(run: RunData) -> Section | None:
    """One chart; None without a program."""
    shares = outcome_shares(run.scores, run.labels)
    if not shares:
        return None
    chart = Chart("outcomes", "How the programs ended", draw_outcomes(shares))
    return Section(id="outcomes", title="Outcomes", order=40, charts=(chart,))


def outcome_shares(scores: Sequence[Score], labels: Labels) -> list[OutcomeShare]:
    """One for each outcome that occurs in a score, in the order of the page."""
    shares = []
    for score in sorted(scores, key=labels.sort_key):
        counts = Counter(o for runs in score.outcomes.values() for samples in runs.values() for o in samples)
        where, total = labels.name(setting(score)), counts.total()
        shares += [
            OutcomeShare(where, score.arm, outcome, counts[outcome], counts[outcome] / total)
            for outcome in outcomes_present(counts)
        ]
    return shares


def draw_outcomes(shares: Sequence[OutcomeShare]) -> go.Figure:
    """Stacked bars, one a setting and arm, first ones on top."""
    bars = list(dict.fromkeys((share.where, share.arm) for share in shares))
    segments = [_segments(outcome, shares, bars) for outcome in outcomes_present(s.outcome for s in shares)]
    return draw_stacked_bars(bars, segments, x="programs, %", hover="%{x:.1f} % (%{customdata} programs)")


def _segments(outcome: Outcome, shares: Sequence[OutcomeShare], bars: Sequence[tuple[str, str]]) -> Segments:
    by_bar = {(share.where, share.arm): share for share in shares if share.outcome == outcome}
    parts = [by_bar.get(bar) for bar in bars]
    return Segments(
        label=outcome_name(outcome),
        colour=OUTCOME_STYLES[outcome].colour,
        pattern=OUTCOME_STYLES[outcome].pattern,
        values=tuple(100 * part.share if part else 0 for part in parts),
        details=tuple(part.programs if part else 0 for part in parts),
    )
