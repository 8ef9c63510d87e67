"""The adapter's spectrum: power by frequency, beside the same entries in random order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from flextune.report.figures.drawing import INK, figure, plain
from flextune.report.inputs import Row as JsonRow
from flextune.report.inputs import Training
from flextune.report.labels import Labels

BINS = 64


@dataclass(frozen=True, slots=True)
class Row:
    """One factor of one arm's adapters, averaged over matrices, then over seeds.

    Attributes:
        arms: Arms that share the trainings.
        factor: ``A`` or ``B``.
        frequencies: Bin centres, 0 to 1 (Nyquist).
        power: Relative to the matrix's mean power: 1 everywhere is what a random order gives.
        high_share: Share of the power in the upper half of the frequencies.
        null_high_share: The same of the same entries, randomly permuted.
        matrices: Matrices averaged over.
        seeds: Seeds averaged over.
    """

    arms: tuple[str, ...]
    factor: str
    frequencies: tuple[float, ...]
    power: tuple[float, ...]
    high_share: float
    null_high_share: float
    matrices: int
    seeds: int


def rows(trainings: Sequence[Training]) -> list[Row]:
    """One row for each group of arms and factor; a matrix of zeros, or with a nan, is skipped."""
    grouped: dict[tuple[tuple[str, ...], str], list[list[JsonRow]]] = {}
    for training in trainings:
        for factor in ("A", "B"):
            held = [
                m for m in training.matrices if m.get("factor") == factor and 0 < sum(m["power"]) < math.inf
            ]
            if held:
                grouped.setdefault((training.arms, factor), []).append(held)
    return [_row(arms, factor, seeds) for (arms, factor), seeds in grouped.items()]


def draw(found: Sequence[Row], factor: str, labels: Labels) -> go.Figure:
    """Lines of relative power; the dashed line at 1 is the null."""
    drawn = figure(
        340,
        xaxis={"title": "frequency, as a share of Nyquist", "range": [0, 1]},
        yaxis={"title": f"power of {factor}, relative", "rangemode": "tozero"},
    )
    for row in (row for row in found if row.factor == factor):
        drawn.add_scatter(
            x=row.frequencies,
            y=row.power,
            name=plain(", ".join(row.arms)),
            mode="lines",
            line={"color": labels.colour(row.arms[0]), "width": 1.8},
            hovertemplate="%{x:.2f}: %{y:.3f}",
        )
    drawn.add_scatter(
        x=[0, 1],
        y=[1, 1],
        name="same entries, random order",
        mode="lines",
        hoverinfo="skip",
        line={"color": INK, "dash": "dash", "width": 1.2},
    )
    return drawn


def _row(arms: tuple[str, ...], factor: str, seeds: list[list[JsonRow]]) -> Row:
    bins = min(BINS, max(len(m["power"]) for held in seeds for m in held))
    power = np.mean([np.mean([_relative(m["power"], bins) for m in held], axis=0) for held in seeds], axis=0)
    return Row(
        arms=arms,
        factor=factor,
        frequencies=tuple(_centres(bins).tolist()),
        power=tuple(power.tolist()),
        high_share=_mean("high_share", seeds),
        null_high_share=_mean("null_high_share", seeds),
        matrices=len(seeds[0]),
        seeds=len(seeds),
    )


def _relative(power: Sequence[float], bins: int) -> NDArray[np.float64]:
    """Power over its mean, on a common grid: narrow matrices have fewer bins than wide ones."""
    values = np.asarray(power, dtype=np.float64)
    return np.interp(_centres(bins), _centres(len(values)), values / values.mean())


def _centres(bins: int) -> NDArray[np.float64]:
    return (np.arange(bins) + 0.5) / bins


def _mean(field: str, seeds: list[list[JsonRow]]) -> float:
    return float(np.mean([np.mean([float(m[field]) for m in held]) for held in seeds]))
