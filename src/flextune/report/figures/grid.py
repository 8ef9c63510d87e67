"""A grid of panels, one for each type of module and matrix, with a line and a band for each adapter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.figures.drawing import figure, plain
from flextune.report.labels import ARM_COLOURS

#: Factor and axis of a spectrum to what its panel is called.
MATRICES = {
    ("A", "row"): "A",
    ("B", "row"): "B",
    ("update", "input"): "update, inputs",
    ("update", "output"): "update, outputs",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One adapter in one panel.

    Attributes:
        adapter: Its name.
        type: Of the modules.
        matrix: One of ``MATRICES``' values.
        x: Where.
        y: What was measured there.
        low: Lower edge of the permuted null's band.
        high: Its upper edge.
    """

    adapter: str
    type: str
    matrix: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def draw_grid(
    found: Sequence[Row], *, title: str, x: str, y: str, hover: str, peak: float = math.inf
) -> go.Figure:
    """Types of modules down, matrices across.

    Args:
        found: At least one row.
        title: Of the figure.
        x: Title of the horizontal axes.
        y: Title of the vertical ones.
        hover: Plotly's template of a point.
        peak: A panel that goes above has a vertical axis in powers of ten.
    """
    types = list(dict.fromkeys(row.type for row in found))
    matrices = [name for name in MATRICES.values() if any(row.matrix == name for row in found)]
    adapters = list(dict.fromkeys(row.adapter for row in found))
    height = 150 + 210 * len(types)
    drawn = figure(height, width=1080, margin={"l": 60, "r": 12, "t": 110, "b": 56})
    drawn.set_subplots(
        len(types),
        len(matrices),
        shared_xaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=0.28 / (len(types) + 1),
        subplot_titles=[f"{plain(kind)}: {name}" for kind in types for name in matrices],
    )
    # All bands first: no line lies under another adapter's.
    for make in (_band, _line):
        for row in found:
            colour = ARM_COLOURS[adapters.index(row.adapter) % len(ARM_COLOURS)]
            first = row is next(other for other in found if other.adapter == row.adapter)
            place = types.index(row.type) + 1, matrices.index(row.matrix) + 1
            drawn.add_trace(make(row, colour, first, hover), *place)
            if max(row.y) > peak:
                drawn.update_yaxes(type="log", dtick=1, row=place[0], col=place[1])
    drawn.update_layout(
        title={"text": plain(title), "x": 0.01, "y": 1 - 20 / height, "yanchor": "top"},
        legend={"yref": "container", "y": 1 - 48 / height, "yanchor": "top", "traceorder": "grouped"},
    )
    drawn.update_annotations(font_size=12)
    drawn.update_xaxes(title={"font": {"size": 12}}, nticks=6, tickformat="~g")
    drawn.update_yaxes(title={"font": {"size": 12}}, nticks=5)
    drawn.update_xaxes(title_text=x, row=len(types))
    drawn.update_yaxes(title_text=y, col=1)
    return drawn


def _band(row: Row, colour: str, first: bool, hover: str) -> go.Scatter:
    """As one closed outline; the legend has each adapter's once."""
    return go.Scatter(
        x=[*row.x, *reversed(row.x)],
        y=[*row.high, *reversed(row.low)],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=colour,
        opacity=0.22,
        hoverinfo="skip",
        name=f"{plain(row.adapter)}, permuted (5 to 95 %)",
        legendgroup=f"{plain(row.adapter)} permuted",
        showlegend=first,
    )


def _line(row: Row, colour: str, first: bool, hover: str) -> go.Scatter:
    return go.Scatter(
        x=row.x,
        y=row.y,
        mode="lines" if len(row.x) > 40 else "lines+markers",
        marker={"size": 4},
        line={"color": colour, "width": 1.6},
        hovertemplate=hover,
        name=plain(row.adapter),
        legendgroup=plain(row.adapter),
        showlegend=first,
    )
