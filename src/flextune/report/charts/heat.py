"""A table of numbers as colours: rows and columns with names, or two axes of settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.charts.base import figure, plain
from flextune.report.palette import ARM_COLOURS, PAPER

#: Pixels of a row.
ROW = 34
#: Below 0 and above it; the ground between them.
DIVERGING = ((0.0, ARM_COLOURS[1]), (0.5, PAPER), (1.0, ARM_COLOURS[0]))
#: From little to much.
RISING = ((0.0, PAPER), (1.0, ARM_COLOURS[0]))


@dataclass(frozen=True, slots=True)
class Tile:
    """One coloured field.

    Attributes:
        value: What its colour says; None: nothing is known.
        text: In it.
        hover: What is said of it beside its row and column.
    """

    value: float | None
    text: str = ""
    hover: str = ""


def draw_heat(
    rows: Sequence[str],
    columns: Sequence[str],
    tiles: Sequence[Sequence[Tile]],
    *,
    scale: str,
    x: str = "",
    y: str = "",
    around_zero: bool = False,
) -> go.Figure:
    """Coloured fields with their numbers, the first row on top.

    Args:
        rows: Names of the rows.
        columns: Names of the columns.
        tiles: A list for each row.
        scale: What the colours stand for.
        x: Title of the horizontal axis.
        y: Of the vertical one.
        around_zero: Two colours that meet at 0; else one, from the lowest value to the highest.
    """
    known = [tile.value for row in tiles for tile in row if tile.value is not None]
    most = max(map(abs, known), default=1.0) or 1.0
    ends = {"zmin": -most, "zmax": most} if around_zero else {}
    drawn = figure(
        120 + ROW * len(rows),
        xaxis={"title": x, "side": "bottom", "type": "category", "showgrid": False, "ticks": ""},
        yaxis={
            "title": y,
            "autorange": "reversed",
            "type": "category",
            "showgrid": False,
            "ticks": "",
            "zeroline": False,
        },
    )
    drawn.add_heatmap(
        x=[plain(name).replace(" · ", "<br>") for name in columns],
        y=[plain(name) for name in rows],
        z=[[tile.value for tile in row] for row in tiles],
        text=[[plain(tile.text) for tile in row] for row in tiles],
        texttemplate="%{text}",
        customdata=[[[plain(tile.hover)] for tile in row] for row in tiles],
        hovertemplate="%{y}, %{x}<br>%{customdata[0]}<extra></extra>",
        colorscale=[list(stop) for stop in (DIVERGING if around_zero else RISING)],
        colorbar={"title": {"text": plain(scale), "side": "right"}, "thickness": 12, "outlinewidth": 0},
        xgap=2,
        ygap=2,
        hoverongaps=False,
        **ends,
    )
    return drawn
