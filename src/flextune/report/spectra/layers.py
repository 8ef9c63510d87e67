"""Adapters' high-frequency share by layer, beside the same in random order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from flextune.report.spectra.curves import MATRICES, AdapterCurve, draw_curves


def layer_curves(adapters: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[AdapterCurve]:
    """From each adapter's matrices, as ``AdapterSpectra`` has them; nothing with fewer than two layers."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for adapter, rows in adapters.items():
        for row in rows:
            if row["layer"] is not None and row["high_share"] is not None:
                groups[adapter, row["type"], MATRICES[row["factor"], row["axis"]]].append(row)
    return [_curve(place, members) for place, members in groups.items() if len(members) > 1]


def draw_layers(curves: Sequence[AdapterCurve]) -> go.Figure:
    """Percent above half of Nyquist; noise has near 50."""
    return draw_curves(
        curves,
        title="High-frequency share by layer",
        x="layer",
        y="above half of Nyquist, %",
        hover="layer %{x}: %{y:.2f} %",
    )


def _curve(place: tuple[str, str, str], members: list[Mapping[str, Any]]) -> AdapterCurve:
    members = sorted(members, key=lambda row: row["layer"])
    bands = [row["permuted"]["high_share"] for row in members]
    return AdapterCurve(
        *place,
        x=tuple(row["layer"] for row in members),
        y=tuple(100 * row["high_share"] for row in members),
        low=tuple(100 * band["low"] for band in bands),
        high=tuple(100 * band["high"] for band in bands),
    )
