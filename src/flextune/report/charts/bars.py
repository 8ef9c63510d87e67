"""Bars: grouped with intervals, or stacked to a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.base import INK, figure, plain


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a series.

    Attributes:
        place: The group that it stands in.
        value: Its height.
        low: Lower end of its interval; None where there is none.
        high: Upper end.
        details: What the series' ``hover`` reads as ``customdata``.
    """

    place: str
    value: float
    low: float | None = None
    high: float | None = None
    details: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """Bars of one colour.

    Attributes:
        label: In the legend, as plain text.
        colour: Of its bars.
        bars: One a group at most.
    """

    label: str
    colour: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Segments:
    """One colour of stacked bars.

    Attributes:
        label: In the legend, as plain text.
        colour: Of its segments.
        values: One for each bar.
        details: One for each bar, which the chart's ``hover`` reads as ``customdata``.
    """

    label: str
    colour: str
    values: tuple[float, ...]
    details: tuple[Any, ...]


def draw_grouped_bars(series: Sequence[Series], *, y: str, hover: str) -> go.Figure:
    """Bars grouped by their place, with their intervals.

    Args:
        series: Side by side in every group.
        y: Title of the vertical axis, which starts at 0.
        hover: Plotly's template of a bar.
    """
    drawn = figure(
        380,
        barmode="group",
        bargap=0.25,
        xaxis={"showgrid": False},
        yaxis={"title": y, "rangemode": "tozero"},
    )
    for one in series:
        drawn.add_bar(
            name=plain(one.label),
            x=[plain(bar.place) for bar in one.bars],
            y=[bar.value for bar in one.bars],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [bar.high - bar.value if bar.high is not None else 0 for bar in one.bars],
                "arrayminus": [bar.value - bar.low if bar.low is not None else 0 for bar in one.bars],
                "color": INK,
                "thickness": 1.2,
                "width": 3,
            },
            marker={"color": one.colour},
            customdata=[list(bar.details) for bar in one.bars],
            hovertemplate=hover,
        )
    return drawn


def draw_stacked_bars(
    bars: Sequence[tuple[str, str]], segments: Sequence[Segments], *, x: str, hover: str
) -> go.Figure:
    """Horizontal bars of percentages, the first on top.

    Args:
        bars: Group and name of each; a ``·`` in a group begins its second line.
        segments: From left to right.
        x: Title of the horizontal axis, from 0 to 100.
        hover: Plotly's template of a segment.
    """
    drawn = figure(
        110 + 22 * len(bars),
        barmode="stack",
        bargap=0.22,
        xaxis={"title": x, "range": [0, 100]},
        legend={"traceorder": "normal"},
        yaxis={"autorange": "reversed", "automargin": True, "dividerwidth": 0, "ticks": ""},
    )
    names = [
        [plain(group).replace(" · ", "<br>") for group, _ in bars],
        [plain(name) for _, name in bars],
    ]
    for one in segments:
        drawn.add_bar(
            name=plain(one.label),
            orientation="h",
            y=names,
            x=list(one.values),
            customdata=list(one.details),
            marker={"color": one.colour},
            hovertemplate=hover,
        )
    return drawn
