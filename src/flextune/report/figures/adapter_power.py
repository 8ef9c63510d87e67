"""Adapters' power by frequency, averaged over the modules of a type, beside the same in random order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from flextune.report.figures.grid import MATRICES, Row, draw_grid


def rows(adapters: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Row]:
    """From each adapter's types, as the pipeline's ``AdapterSpectra`` has them; zero matrices have none."""
    return [
        Row(
            adapter=adapter,
            type=row["type"],
            matrix=MATRICES[row["factor"], row["axis"]],
            x=tuple((k + 0.5) / len(row["power"]) for k in range(len(row["power"]))),
            y=tuple(row["power"]),
            low=tuple(row["permuted"]["power"]["low"]),
            high=tuple(row["permuted"]["power"]["high"]),
        )
        for adapter, held in adapters.items()
        for row in held
        if any(row["power"])
    ]


def draw(found: Sequence[Row]) -> go.Figure:
    """Power relative to noise of the same norm, which has 1 everywhere."""
    return draw_grid(
        found,
        title="Power by frequency, relative to noise of the same norm",
        x="frequency / Nyquist",
        y="power",
        hover="%{x:.2f}: %{y:.3f}",
        # A few slow waves stand far above the rest; where nothing stands out, a logarithm would hide that.
        peak=8.0,
    )
