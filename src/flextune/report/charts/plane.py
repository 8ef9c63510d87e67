"""Points on a plane with intervals in both directions, those of one family joined by a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.base import INK, boxed, figure, plain

#: Of the bars of an interval, beside the points.
PALE = 0.45

Ends = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Spot:
    """One point.

    Attributes:
        label: Beside it; empty: nothing.
        x: Where.
        y: How high.
        x_ends: Its interval across; None: there is none.
        y_ends: Its interval upright.
        details: What the path's ``hover`` reads as ``customdata``.
    """

    label: str
    x: float
    y: float
    x_ends: Ends = None
    y_ends: Ends = None
    details: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Points of one colour, joined in their order.

    Attributes:
        label: In the legend, as plain text.
        colour: Of points, intervals and line.
        spots: One alone has no line.
        dash: Of the line.
        symbol: Plotly's name of the points' shape.
        size: Of the points, in pixels.
    """

    label: str
    colour: str
    spots: tuple[Spot, ...]
    dash: str = "solid"
    symbol: str = "circle"
    size: int = 8


def draw_plane(
    paths: Sequence[Path], *, x: str, y: str, hover: str, through: tuple[float, float] | None = None
) -> go.Figure:
    """Points with their intervals.

    Args:
        paths: The last is on top.
        x: Title of the horizontal axis.
        y: Of the vertical one.
        hover: Plotly's template of a point.
        through: A place that two thin lines cross at: what does nothing.
    """
    drawn = figure(520, xaxis={"title": x, "zeroline": False}, yaxis={"title": y, "zeroline": False})
    if through is not None:
        drawn.add_vline(through[0], line={"color": INK, "width": 1, "dash": "dot"})
        drawn.add_hline(through[1], line={"color": INK, "width": 1, "dash": "dot"})
    for path in paths:
        drawn.add_trace(_intervals(path))
    for path in paths:
        spots = path.spots
        drawn.add_scatter(
            name=plain(path.label),
            legendgroup=plain(path.label),
            x=[spot.x for spot in spots],
            y=[spot.y for spot in spots],
            mode="lines+markers+text" if len(spots) > 1 else "markers+text",
            line={"color": path.colour, "dash": path.dash, "width": 1.8},
            marker={"color": path.colour, "size": path.size, "symbol": path.symbol},
            text=[plain(spot.label) for spot in spots],
            textposition="top right",
            textfont={"size": 11, "color": path.colour},
            customdata=[list(spot.details) for spot in spots],
            hovertemplate=boxed(hover),
        )
    return drawn


def _intervals(path: Path) -> go.Scatter:
    """Without an entry in the legend, under all points; hidden with its path."""
    bar = {"type": "data", "symmetric": False, "color": path.colour, "thickness": 1, "width": 0}
    return go.Scatter(
        x=[spot.x for spot in path.spots],
        y=[spot.y for spot in path.spots],
        mode="markers",
        marker={"color": path.colour, "size": 1},
        opacity=PALE,
        error_x={**bar, **_reach([(spot.x, spot.x_ends) for spot in path.spots])},
        error_y={**bar, **_reach([(spot.y, spot.y_ends) for spot in path.spots])},
        hoverinfo="skip",
        legendgroup=plain(path.label),
        showlegend=False,
    )


def _reach(spots: Sequence[tuple[float, Ends]]) -> dict[str, list[float | None]]:
    return {
        "array": [ends[1] - value if ends else None for value, ends in spots],
        "arrayminus": [value - ends[0] if ends else None for value, ends in spots],
    }
