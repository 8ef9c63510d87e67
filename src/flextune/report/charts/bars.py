"""Bars: grouped with intervals, or stacked to a whole. All lie, so that names are read without turning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.base import INK, boxed, figure, plain
from flextune.report.palette import PAPER

#: Pixels of a bar with room for its number; where there are more than ``ROOMY`` bars they are thin.
BAR, THIN, ROOMY = 21, 11, 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a series.

    Attributes:
        place: The group that it stands in.
        value: Its length.
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
        pattern: Of its bars, one of plotly's shapes; empty: none.
    """

    label: str
    colour: str
    bars: tuple[Bar, ...]
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Segments:
    """One colour of stacked bars.

    Attributes:
        label: In the legend, as plain text.
        colour: Of its segments.
        values: One for each bar.
        details: One for each bar, which the chart's ``hover`` reads as ``customdata``.
        pattern: Of its segments, one of plotly's shapes; empty: none.
    """

    label: str
    colour: str
    values: tuple[float, ...]
    details: tuple[Any, ...]
    pattern: str = ""


def draw_grouped_bars(series: Sequence[Series], *, x: str, hover: str) -> go.Figure:
    """Bars grouped by their place, with their intervals, and with their numbers where they fit.

    Args:
        series: One below the other in every group.
        x: Title of the horizontal axis, which starts at 0.
        hover: Plotly's template of a bar.
    """
    places = {bar.place for one in series for bar in one.bars}
    bars = len(places) * len(series)
    drawn = figure(
        96 + bars * (BAR if bars <= ROOMY else THIN) + 14 * len(places),
        barmode="group",
        bargap=0.2,
        uniformtext={"minsize": 10, "mode": "hide"},
        xaxis={"title": x, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "showgrid": False, "ticks": ""},
    )
    for one in series:
        drawn.add_bar(
            name=plain(one.label),
            orientation="h",
            y=[_two_lines(bar.place) for bar in one.bars],
            x=[bar.value for bar in one.bars],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_reach(bar.value, bar.high) for bar in one.bars],
                "arrayminus": [_reach(bar.low, bar.value) for bar in one.bars],
                "color": INK,
                "thickness": 1.2,
                "width": 3,
            },
            # The interval is at the other end.
            insidetextanchor="start",
            **_numbers([bar.value for bar in one.bars]),
            **_area(one.colour, one.pattern),
            customdata=[list(bar.details) for bar in one.bars],
            hovertemplate=boxed(hover),
        )
    return drawn


def draw_opposed_bars(
    places: Sequence[str], right: Segments, left: Segments, *, x: str, hover: str
) -> go.Figure:
    """Two bars in each place, away from 0 in opposite directions, with their numbers.

    Args:
        places: From top to bottom; a ``·`` begins a second line.
        right: Its values stand to the right.
        left: Its values, above 0 as they are given, stand to the left.
        x: Title of the horizontal axis.
        hover: Plotly's template of a bar; ``customdata`` is the first of its details.
    """
    most = max([1.0, *right.values, *left.values])
    drawn = figure(
        110 + (BAR if len(places) <= ROOMY else THIN) * len(places),
        barmode="relative",
        bargap=0.25,
        xaxis={"title": x, "range": [-1.08 * most, 1.08 * most], "showticklabels": False},
        yaxis={"autorange": "reversed", "showgrid": False, "ticks": ""},
        legend={"traceorder": "normal"},
    )
    for sign, one in ((-1, left), (1, right)):
        drawn.add_bar(
            name=plain(one.label),
            orientation="h",
            y=[plain(place) for place in places],
            x=[sign * value for value in one.values],
            customdata=list(one.details),
            hovertemplate=boxed(hover),
            text=[f"{value:g}" if value else "" for value in one.values],
            textposition="auto",
            textangle=0,
            insidetextfont={"color": PAPER, "size": 11},
            outsidetextfont={"size": 11},
            **_area(one.colour, one.pattern),
        )
    return drawn


def draw_stacked_bars(
    bars: Sequence[tuple[str, str]], segments: Sequence[Segments], *, x: str, hover: str
) -> go.Figure:
    """Bars of percentages, the first on top, with their numbers where they fit.

    Args:
        bars: Group and name of each; a ``·`` in a group begins its second line.
        segments: From left to right.
        x: Title of the horizontal axis, from 0 to 100.
        hover: Plotly's template of a segment.
    """
    drawn = figure(
        110 + 24 * len(bars),
        barmode="stack",
        bargap=0.18,
        uniformtext={"minsize": 10, "mode": "hide"},
        xaxis={"title": x, "range": [0, 100]},
        legend={"traceorder": "normal"},
        yaxis={"autorange": "reversed", "automargin": True, "dividerwidth": 0, "ticks": ""},
    )
    names = [[_two_lines(group) for group, _ in bars], [plain(name) for _, name in bars]]
    for one in segments:
        drawn.add_bar(
            name=plain(one.label),
            orientation="h",
            y=names,
            x=list(one.values),
            customdata=list(one.details),
            insidetextanchor="middle",
            **_numbers(one.values),
            **_area(one.colour, one.pattern),
            hovertemplate=boxed(hover),
        )
    return drawn


def _two_lines(group: str) -> str:
    return plain(group).replace(" · ", "<br>")


def _reach(start: float | None, end: float | None) -> float | None:
    """None is no interval; one of length 0 would be drawn as a cap."""
    return None if start is None or end is None else end - start


def _numbers(values: Sequence[float]) -> dict[str, Any]:
    return {
        "text": [f"{value:.1f}" if value else "" for value in values],
        "textposition": "inside",
        "textangle": 0,
        "insidetextfont": {"color": PAPER, "size": 11},
    }


def _area(colour: str, pattern: str) -> dict[str, Any]:
    """A coloured area with the pattern in the ground's colour, and an edge towards its neighbour."""
    marker: dict[str, Any] = {"color": colour, "line": {"color": PAPER, "width": 1}}
    if pattern:
        lines = {"fgcolor": PAPER, "fgopacity": 0.4, "size": 7, "solidity": 0.08 if pattern == "." else 0.15}
        marker["pattern"] = {"shape": pattern, "bgcolor": colour, **lines}
    return {"marker": marker}
