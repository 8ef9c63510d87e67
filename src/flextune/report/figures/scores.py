"""pass@k of every arm in every setting, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.records import Score
from flextune.report.figures.drawing import INK, figure, plain
from flextune.report.labels import Labels
from flextune.statistics.summary import setting


@dataclass(frozen=True, slots=True)
class Row:
    """One bar; shares in [0, 1]."""

    arm: str
    where: str
    value: float
    low: float | None
    high: float | None
    count: int


def rows(scores: Sequence[Score], labels: Labels, metric: str = "pass@1") -> list[Row]:
    """One row for each score that has the metric, in the order of the page."""
    return [
        Row(score.arm, labels.name(setting(score)), found.value, found.low, found.high, found.count)
        for score in sorted(scores, key=labels.sort_key)
        for found in score.estimates
        if found.metric == metric and not math.isnan(found.value)
    ]


def draw(found: Sequence[Row], labels: Labels, metric: str = "pass@1") -> go.Figure:
    """Bars grouped by setting, one colour an arm."""
    drawn = figure(
        380,
        barmode="group",
        bargap=0.25,
        xaxis={"showgrid": False},
        yaxis={"title": f"{metric}, %", "rangemode": "tozero"},
    )
    for arm in labels.arms:
        bars = [row for row in found if row.arm == arm]
        drawn.add_bar(
            name=plain(arm),
            x=[plain(row.where) for row in bars],
            y=[100 * row.value for row in bars],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (row.high - row.value) if row.high is not None else 0 for row in bars],
                "arrayminus": [100 * (row.value - row.low) if row.low is not None else 0 for row in bars],
                "color": INK,
                "thickness": 1.2,
                "width": 3,
            },
            marker={"color": labels.colour(arm)},
            customdata=[[_span(row), row.count] for row in bars],
            hovertemplate="%{x}<br>%{y:.1f} %{customdata[0]}<br>%{customdata[1]} problems",
        )
    return drawn


def _span(row: Row) -> str:
    if row.low is None or row.high is None:
        return "%"
    return f"% [{100 * row.low:.1f}, {100 * row.high:.1f}]"
