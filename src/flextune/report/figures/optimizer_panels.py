"""Panels with one line an arm and the range of its seeds; an optimizer has one colour in all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.report.figures.drawing import figure, plain
from flextune.report.formats import count
from flextune.report.labels import GREY
from flextune.report.optimizers.groups import Arm, Group

COLOURS = {
    "adamw": GREY,
    "lion": "#E69F00",
    "sophia-constant": "#CC79A7",
    "sophia-g": "#0072B2",
    "sophia-h": "#009E73",
}
OTHER = "#D55E00"
DASHES = ("solid", "dash", "dot", "dashdot")
PANEL_HEIGHT = 280
#: From a panel's highest value to where its lowest line ends; beyond, the axis is logarithmic.
WIDE = 5


@dataclass(frozen=True, slots=True)
class Style:
    """What an arm's lines look like, on whatever data it trains."""

    label: str
    colour: str
    dash: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the mean over seeds, and the range that they span.

    Attributes:
        data: Name of the group.
        arm: The arm.
        style: Of the line.
        x: Steps or seconds.
        mean: One for each.
        low: The lowest seed there.
        high: The highest.
        seeds: How many.
    """

    data: str
    arm: str
    style: Style
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: int


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines on one pair of axes; a share has a linear one from 0."""

    title: str
    x: str
    y: str
    rows: tuple[Row, ...]
    share: bool = False


def styles(groups: Sequence[Group]) -> dict[str, Style]:
    """A style for each label: the optimizer's colour, and a dash for what is not its first arm."""
    found: dict[str, Style] = {}
    used: dict[str, int] = {}
    for arm in (arm for group in groups for arm in group.arms):
        if arm.label not in found:
            place = used.get(arm.family, 0)
            used[arm.family] = place + 1
            found[arm.label] = Style(arm.label, colour(arm), DASHES[place % len(DASHES)])
    return found


def colour(arm: Arm) -> str:
    """The optimizer's."""
    return COLOURS.get(arm.family, OTHER)


def grid(panels: int, columns: int, height: int = PANEL_HEIGHT) -> go.Figure:
    """An empty figure with room for so many panels, and for the legend above."""
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


def draw_panels(panels: Sequence[Panel], columns: int) -> go.Figure:
    """The panels row by row; a click in the legend hides an arm in all of them."""
    drawn = grid(len(panels), columns)
    shown: set[str] = set()
    for index, panel in enumerate(panels):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        # All bands first: no line lies under another arm's.
        for row in panel.rows:
            drawn.add_trace(_band(row), **place)
        for row in panel.rows:
            drawn.add_trace(_line(row, row.style.label not in shown), **place)
            shown.add(row.style.label)
        drawn.layout.annotations[index].text = plain(panel.title)
        drawn.update_xaxes(title_text=panel.x, **place)
        drawn.update_yaxes(title_text=panel.y, **_scale(panel), **place)
    finish(drawn)
    return drawn


def finish(drawn: go.Figure) -> None:
    """Sizes of what stands around the panels."""
    drawn.update_annotations(font_size=13)
    drawn.update_xaxes(title_font_size=12, nticks=6)
    drawn.update_yaxes(title_font_size=12, nticks=6)


def ticks(values: Sequence[float]) -> dict[str, Any]:
    """A logarithmic axis with 1, 2 and 5 of every power of ten between the values."""
    decades = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    places = [float(f"{digit}e{decade}") for decade in decades for digit in (1, 2, 5)]
    return {"type": "log", "tickvals": places, "ticktext": [f"{place:g}" for place in places]}


def _scale(panel: Panel) -> dict[str, Any]:
    """Logarithmic where the start is so far above the end that a linear axis would flatten what is there."""
    if panel.share:
        return {"rangemode": "tozero"}
    values = [value for row in panel.rows for value in (*row.low, *row.high)]
    wide = min(values) > 0 and max(values) > WIDE * min(row.mean[-1] for row in panel.rows)
    return ticks(values) if wide else {}


def _band(row: Row) -> go.Scatter:
    """As one closed outline."""
    return go.Scatter(
        x=[*row.x, *reversed(row.x)],
        y=[*row.high, *reversed(row.low)],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=row.style.colour,
        opacity=0.14,
        hoverinfo="skip",
        legendgroup=plain(row.style.label),
        showlegend=False,
    )


def _line(row: Row, first: bool) -> go.Scatter:
    return go.Scatter(
        x=row.x,
        y=row.mean,
        mode="lines",
        line={"color": row.style.colour, "dash": row.style.dash, "width": 1.8},
        customdata=list(zip(row.low, row.high, strict=True)),
        hovertemplate=f"{plain(row.arm)}, {count(row.seeds, 'seed')}<br>%{{x:.4g}}: %{{y:.4g}} "
        "(%{customdata[0]:.4g} to %{customdata[1]:.4g})<extra></extra>",
        name=plain(row.style.label),
        legendgroup=plain(row.style.label),
        showlegend=first,
    )
