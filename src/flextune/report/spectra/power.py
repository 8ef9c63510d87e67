"""Adapters' power by frequency, averaged over the modules of a type, beside the same in random order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from flextune.report.spectra.curves import MATRICES, AdapterCurve, draw_curves


def power_curves(adapters: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[AdapterCurve]:
    """From each adapter's types, as the audit's ``AdapterSpectra`` has them; zero matrices have none."""
    return [
        AdapterCurve(
            adapter=adapter,
            type=row["type"],
            matrix=MATRICES[row["factor"], row["axis"]],
            x=tuple((k + 0.5) / len(row["power"]) for k in range(len(row["power"]))),
            y=tuple(row["power"]),
            low=tuple(row["permuted"]["power"]["low"]),
            high=tuple(row["permuted"]["power"]["high"]),
        )
        for adapter, rows in adapters.items()
        for row in rows
        if any(row["power"])
    ]


def draw_power(curves: Sequence[AdapterCurve]) -> go.Figure:
    """Power relative to noise of the same norm, which has 1 everywhere."""
    return draw_curves(
        curves,
        title="Power by frequency, relative to noise of the same norm",
        x="frequency / Nyquist",
        y="power",
        hover="%{x:.2f}: %{y:.3f}",
        # A few slow waves stand far above the rest; where nothing stands out, a logarithm would hide that.
        peak=8.0,
    )
