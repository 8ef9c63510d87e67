"""Adapters' high-frequency share by layer, beside the same in random order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from flextune.report.figures.grid import MATRICES, Row, draw_grid


def rows(adapters: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Row]:
    """From each adapter's matrices, as ``AdapterSpectra`` has them; nothing with fewer than two layers."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for adapter, held in adapters.items():
        for row in held:
            if row["layer"] is not None and row["high_share"] is not None:
                groups[adapter, row["type"], MATRICES[row["factor"], row["axis"]]].append(row)
    return [_row(place, members) for place, members in groups.items() if len(members) > 1]


def draw(found: Sequence[Row]) -> go.Figure:
    """Percent above half of Nyquist; noise has near 50."""
    return draw_grid(
        found,
        title="High-frequency share by layer",
        x="layer",
        y="above half of Nyquist, %",
        hover="layer %{x}: %{y:.2f} %",
    )


def _row(place: tuple[str, str, str], members: list[Mapping[str, Any]]) -> Row:
    members = sorted(members, key=lambda row: row["layer"])
    bands = [row["permuted"]["high_share"] for row in members]
    return Row(
        *place,
        x=tuple(row["layer"] for row in members),
        y=tuple(100 * row["high_share"] for row in members),
        low=tuple(100 * band["low"] for band in bands),
        high=tuple(100 * band["high"] for band in bands),
    )
