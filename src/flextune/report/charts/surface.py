"""Points over two settings in three dimensions, and the surface that was fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.charts.base import INK, figure, plain
from flextune.report.palette import ARM_COLOURS

#: Ticks of a horizontal axis.
MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Peak:
    """One measured point.

    Attributes:
        x: Of the first setting.
        y: Of the second.
        z: What was measured.
        low: Lower end of its interval.
        high: Upper end.
        hover: What is said of it.
    """

    x: float
    y: float
    z: float
    low: float
    high: float
    hover: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A surface over a grid.

    Attributes:
        x: Of the columns.
        y: Of the rows.
        mean: A row for each of ``y``.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    mean: tuple[tuple[float, ...], ...]
    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Depth:
    """One horizontal axis: its title, and whether its values are spread by logarithms."""

    title: str
    log: bool = False


def draw_surface(peaks: Sequence[Peak], sheet: Sheet | None, *, x: Depth, y: Depth, z: str) -> go.Figure:
    """Points with upright intervals; below and above the surface, pale, the ends of its own.

    Args:
        peaks: Measured points.
        sheet: None: only the points.
        x: The first axis.
        y: The second.
        z: Title of the upright axis.
    """
    drawn = figure(620, margin={"l": 0, "r": 0, "t": 36, "b": 0})
    if sheet is not None:
        for rows, opacity in ((sheet.low, 0.18), (sheet.mean, 0.85), (sheet.high, 0.18)):
            drawn.add_surface(
                x=sheet.x,
                y=sheet.y,
                z=rows,
                opacity=opacity,
                colorscale=[[0.0, ARM_COLOURS[0]], [1.0, ARM_COLOURS[1]]],
                showscale=False,
                hoverinfo="skip",
            )
    # A gap ends each upright line.
    upright = [(p.x, p.y, z) for p in peaks for z in (p.low, p.high, None)]
    drawn.add_scatter3d(
        x=[each[0] for each in upright],
        y=[each[1] for each in upright],
        z=[each[2] for each in upright],
        mode="lines",
        line={"color": INK, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    drawn.add_scatter3d(
        name="measured",
        x=[p.x for p in peaks],
        y=[p.y for p in peaks],
        z=[p.z for p in peaks],
        mode="markers",
        marker={"color": ARM_COLOURS[2], "size": 4},
        showlegend=False,
        text=[plain(p.hover) for p in peaks],
        hovertemplate="%{text}<extra></extra>",
    )
    drawn.update_layout(
        scene={
            "xaxis": _axis(x, [p.x for p in peaks]),
            "yaxis": _axis(y, [p.y for p in peaks]),
            "zaxis": {"title": {"text": plain(z)}},
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.8},
            "camera": {"eye": {"x": 1.5, "y": -1.6, "z": 0.9}, "center": {"z": -0.2}},
        }
    )
    return drawn


def _axis(axis: Depth, values: Sequence[float]) -> dict[str, object]:
    """Ticks stand at the measured values, where these are few."""
    settings: dict[str, object] = {"title": {"text": plain(axis.title)}}
    places = sorted(set(values))
    if len(places) <= MOST_TICKS:
        settings |= {"tickvals": places, "ticktext": [f"{place:g}" for place in places]}
    return settings | ({"type": "log"} if axis.log else {})
