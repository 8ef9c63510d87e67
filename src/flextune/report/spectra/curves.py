"""Curves of adapters, each beside its permuted null: a panel for each type of module and matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.charts.grid import draw_grid
from flextune.report.charts.marks import Band, Line
from flextune.report.palette import ARM_COLOURS

#: Factor and axis of a spectrum to what its panel is called.
MATRICES = {
    ("A", "row"): "A",
    ("B", "row"): "B",
    ("update", "input"): "update, inputs",
    ("update", "output"): "update, outputs",
}
#: Up to this number of points, each has a mark.
FEW = 40


@dataclass(frozen=True, slots=True)
class AdapterCurve:
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


def draw_curves(
    curves: Sequence[AdapterCurve], *, title: str, x: str, y: str, hover: str, peak: float = math.inf
) -> go.Figure:
    """Types of modules down, matrices across; an adapter has one colour.

    Args:
        curves: At least one.
        title: Of the figure.
        x: Title of the horizontal axes.
        y: Title of the vertical ones.
        hover: Plotly's template of a point.
        peak: A panel that goes above has a vertical axis in powers of ten.
    """
    adapters = list(dict.fromkeys(curve.adapter for curve in curves))
    types = list(dict.fromkeys(curve.type for curve in curves))
    panels: dict[tuple[str, str], list[Line]] = {
        (kind, matrix): []
        for kind in types
        for matrix in MATRICES.values()
        if any(curve.matrix == matrix for curve in curves)
    }
    for curve in curves:
        colour = ARM_COLOURS[adapters.index(curve.adapter) % len(ARM_COLOURS)]
        panels[curve.type, curve.matrix].append(_line(curve, colour, hover))
    return draw_grid(panels, title=title, x=x, y=y, peak=peak)


def _line(curve: AdapterCurve, colour: str, hover: str) -> Line:
    return Line(
        label=curve.adapter,
        x=curve.x,
        y=curve.y,
        colour=colour,
        hover=hover,
        width=1.6,
        markers=0 if len(curve.x) > FEW else 4,
        band=Band(curve.low, curve.high, 0.22, f"{curve.adapter}, permuted (5 to 95 %)"),
    )
