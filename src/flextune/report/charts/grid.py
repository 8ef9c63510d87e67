"""A grid of panels: rows and columns have names, and panels of a column share their horizontal axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from flextune.report.charts.base import figure, plain
from flextune.report.charts.marks import Line, draw_marks


def draw_grid(
    panels: Mapping[tuple[str, str], Sequence[Line]],
    *,
    title: str,
    x: str,
    y: str,
    peak: float = math.inf,
) -> go.Figure:
    """Draw a panel for each row and column.

    Args:
        panels: Row and column to lines; rows and columns come in the order in which they are first named.
        title: Of the figure.
        x: Title of the horizontal axes.
        y: Title of the vertical ones.
        peak: A panel that goes above has a vertical axis in powers of ten.
    """
    rows = list(dict.fromkeys(row for row, _ in panels))
    columns = list(dict.fromkeys(column for _, column in panels))
    drawn = _canvas(rows, columns)
    in_legend: set[str] = set()
    for (row, column), lines in panels.items():
        place = {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        draw_marks(drawn, lines, in_legend, **place)
        if any(max(line.y) > peak for line in lines):
            drawn.update_yaxes(type="log", dtick=1, **place)
    height = drawn.layout.height
    drawn.update_layout(
        title={"text": plain(title), "x": 0.01, "y": 1 - 20 / height, "yanchor": "top"},
        legend={"yref": "container", "y": 1 - 48 / height, "yanchor": "top", "traceorder": "grouped"},
    )
    drawn.update_annotations(font_size=12)
    drawn.update_xaxes(title={"font": {"size": 12}}, nticks=6, tickformat="~g")
    drawn.update_yaxes(title={"font": {"size": 12}}, nticks=5)
    drawn.update_xaxes(title_text=x, row=len(rows))
    drawn.update_yaxes(title_text=y, col=1)
    return drawn


def _canvas(rows: Sequence[str], columns: Sequence[str]) -> go.Figure:
    drawn = figure(150 + 210 * len(rows), width=1080, margin={"l": 60, "r": 12, "t": 110, "b": 56})
    drawn.set_subplots(
        len(rows),
        len(columns),
        shared_xaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=0.28 / (len(rows) + 1),
        subplot_titles=[f"{plain(row)}: {plain(column)}" for row in rows for column in columns],
    )
    return drawn
