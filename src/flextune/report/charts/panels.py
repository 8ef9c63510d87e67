"""Panels with axes of their own, row by row, under one legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.base import figure, plain
from flextune.report.charts.marks import Mark, draw_marks

PANEL_HEIGHT = 280
#: From a panel's highest value to where its lowest line ends; beyond, a linear axis flattens what is there.
WIDE = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a panel.

    Attributes:
        title: Beside it.
        logarithm_of: Values above 0 that a logarithmic axis has ticks for; empty: a linear axis.
        from_zero: Whether a linear axis starts at 0.
    """

    title: str
    logarithm_of: tuple[float, ...] = ()
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Marks on one pair of axes, below a title."""

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]


def draw_panels(panels: Sequence[Panel], *, height: int = PANEL_HEIGHT) -> go.Figure:
    """Panels two across, row by row; a click in the legend hides a group in all of them.

    Args:
        panels: At least one.
        height: Of a row, in pixels.
    """
    columns = min(2, len(panels))
    drawn = _canvas(len(panels), columns, height)
    in_legend: set[str] = set()
    for index, panel in enumerate(panels):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        draw_marks(drawn, panel.marks, in_legend, **place)
        drawn.layout.annotations[index].text = plain(panel.title)
        drawn.update_xaxes(**_settings(panel.x), **place)
        drawn.update_yaxes(**_settings(panel.y), **place)
    drawn.update_annotations(font_size=13)
    drawn.update_xaxes(title_font_size=12, nticks=6)
    drawn.update_yaxes(title_font_size=12, nticks=6)
    return drawn


def is_wide(values: Sequence[float], end: float) -> bool:
    """Whether values above 0 reach so far above ``end`` that an axis should be logarithmic."""
    return min(values) > 0 and max(values) > WIDE * end


def _canvas(panels: int, columns: int, height: int) -> go.Figure:
    """An empty figure with room for the panels, and for the legend above."""
    rows = math.ceil(panels / columns)
    drawn = figure(120 + height * rows, margin={"l": 60, "r": 12, "t": 70, "b": 50})
    drawn.set_subplots(
        rows,
        columns,
        horizontal_spacing=0.1 if columns > 1 else 0,
        # Room for the title of an axis and of the panel below.
        vertical_spacing=95 / (height * rows) if rows > 1 else 0,
        # A title that is set later needs its annotation to be there.
        subplot_titles=[" "] * panels,
    )
    drawn.update_layout(
        legend={"yref": "container", "y": 0.99, "yanchor": "top", "traceorder": "grouped"},
    )
    return drawn


def _settings(axis: Axis) -> dict[str, Any]:
    settings: dict[str, Any] = {"title_text": axis.title}
    if axis.logarithm_of:
        settings |= _ticks(axis.logarithm_of)
    elif axis.from_zero:
        settings["rangemode"] = "tozero"
    return settings


def _ticks(values: Sequence[float]) -> dict[str, Any]:
    """1, 2 and 5 of every power of ten between the values."""
    decades = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    places = [float(f"{digit}e{decade}") for decade in decades for digit in (1, 2, 5)]
    return {"type": "log", "tickvals": places, "ticktext": [f"{place:g}" for place in places]}
