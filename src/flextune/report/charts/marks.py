"""Lines with bands, and points: what is drawn into the axes of every chart but bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.base import boxed, plain


@dataclass(frozen=True, slots=True)
class Band:
    """The area around a line.

    Attributes:
        low: Lower edge, one value for each of the line's.
        high: Upper edge.
        opacity: Of its filling, which has the line's colour.
        label: In the legend, once for each label; empty: it is hidden and shown with its line.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    opacity: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        label: In the legend, as plain text.
        x: Where.
        y: How high.
        colour: Of line and band.
        hover: Plotly's template of a point, in which names are escaped by ``plain``; empty: nothing is said.
        group: Lines of one group are one entry of the legend and are hidden together; the label if empty.
        legend: Whether it may be the one of its group that the legend shows.
        band: Around it.
        details: A row for each point, which ``hover`` reads as ``customdata``.
        dash: solid, dash, dot or dashdot.
        width: In pixels.
        opacity: Of the line.
        markers: Size of a mark at each point; 0: none.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: str
    hover: str = ""
    group: str = ""
    legend: bool = True
    band: Band | None = None
    details: tuple[tuple[Any, ...], ...] = ()
    dash: str = "solid"
    width: float = 1.8
    opacity: float = 1.0
    markers: int = 0


@dataclass(frozen=True, slots=True)
class Points:
    """Marks without a line; attributes as ``Line`` has them.

    Attributes:
        symbol: Plotly's name of it.
        size: In pixels.
        edge: Width of the symbol's outline; None: plotly's.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: str
    hover: str
    group: str = ""
    legend: bool = True
    details: tuple[tuple[Any, ...], ...] = ()
    symbol: str = "circle"
    size: int = 6
    edge: float | None = None


Mark = Line | Points


def draw_marks(drawn: go.Figure, marks: Sequence[Mark], in_legend: set[str], **place: int) -> None:
    """Draw marks into one pair of axes.

    Args:
        drawn: Is drawn into.
        marks: All bands come first, so that no line lies under the band of another.
        in_legend: Groups that the legend has already; those of ``marks`` are added.
        place: ``row`` and ``col`` in a figure of several panels.
    """
    for mark in marks:
        if isinstance(mark, Line) and mark.band is not None:
            drawn.add_trace(_band(mark, mark.band, in_legend), **place)
    for mark in marks:
        trace = _line(mark) if isinstance(mark, Line) else _points(mark)
        group = mark.group or mark.label
        trace.update(
            x=mark.x,
            y=mark.y,
            name=plain(mark.label),
            legendgroup=plain(group),
            showlegend=mark.legend and group not in in_legend,
            customdata=[list(row) for row in mark.details] or None,
            **({"hovertemplate": boxed(mark.hover)} if mark.hover else {"hoverinfo": "skip"}),
        )
        drawn.add_trace(trace, **place)
        if mark.legend:
            in_legend.add(group)


def _band(line: Line, band: Band, in_legend: set[str]) -> go.Scatter:
    """As one closed outline."""
    own = f"{line.group or line.label} band"
    trace = go.Scatter(
        x=[*line.x, *reversed(line.x)],
        y=[*band.high, *reversed(band.low)],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=line.colour,
        opacity=band.opacity,
        hoverinfo="skip",
        legendgroup=plain(own if band.label else line.group or line.label),
        showlegend=bool(band.label) and own not in in_legend,
    )
    if band.label:
        trace.update(name=plain(band.label))
        in_legend.add(own)
    return trace


def _line(line: Line) -> go.Scatter:
    return go.Scatter(
        mode="lines+markers" if line.markers else "lines",
        marker={"size": line.markers} if line.markers else None,
        opacity=line.opacity if line.opacity < 1 else None,
        line={"color": line.colour, "dash": line.dash, "width": line.width},
    )


def _points(points: Points) -> go.Scatter:
    marker: dict[str, Any] = {"color": points.colour, "size": points.size, "symbol": points.symbol}
    if points.edge is not None:
        marker["line"] = {"width": points.edge}
    return go.Scatter(mode="markers", marker=marker)
