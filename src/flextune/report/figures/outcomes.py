"""How programs ended: every outcome's share, by setting and arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.records import Outcome, Score
from flextune.report.figures.drawing import figure, plain
from flextune.report.labels import OUTCOME_COLOURS, Labels, outcome_name, outcomes_present
from flextune.statistics.summary import setting


@dataclass(frozen=True, slots=True)
class Row:
    """One segment of one bar; all programs of all seeds and samples count."""

    where: str
    arm: str
    outcome: Outcome
    programs: int
    share: float


def rows(scores: Sequence[Score], labels: Labels) -> list[Row]:
    """One row for each outcome that occurs in a score, in the order of the page."""
    found = []
    for score in sorted(scores, key=labels.sort_key):
        counts = Counter(o for runs in score.outcomes.values() for samples in runs.values() for o in samples)
        total = counts.total()
        found += [
            Row(labels.name(setting(score)), score.arm, outcome, counts[outcome], counts[outcome] / total)
            for outcome in outcomes_present(counts)
        ]
    return found


def draw(found: Sequence[Row], labels: Labels) -> go.Figure:
    """Stacked bars, one a setting and arm, first ones on top."""
    bars = dict.fromkeys((row.where, row.arm) for row in found)
    drawn = figure(
        110 + 22 * len(bars),
        barmode="stack",
        bargap=0.22,
        xaxis={"title": "programs, %", "range": [0, 100]},
        legend={"traceorder": "normal"},
        yaxis={"autorange": "reversed", "automargin": True, "dividerwidth": 0, "ticks": ""},
    )
    for outcome in outcomes_present(row.outcome for row in found):
        segments = {(row.where, row.arm): row for row in found if row.outcome == outcome}
        held = [segments.get(bar) for bar in bars]
        drawn.add_bar(
            name=outcome_name(outcome),
            orientation="h",
            y=[[_two_lines(where) for where, _ in bars], [plain(arm) for _, arm in bars]],
            x=[100 * row.share if row else 0 for row in held],
            customdata=[row.programs if row else 0 for row in held],
            marker={"color": OUTCOME_COLOURS[outcome]},
            hovertemplate="%{x:.1f} % (%{customdata} programs)",
        )
    return drawn


def _two_lines(where: str) -> str:
    return plain(where).replace(" · ", "<br>")
