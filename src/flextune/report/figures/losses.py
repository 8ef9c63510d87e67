"""Loss curves: the task's loss in training and on held-out examples, and the penalty apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from flextune.report.figures.drawing import figure, plain
from flextune.report.inputs import Training
from flextune.report.labels import Labels

Kind = Literal["loss", "eval_loss", "penalty"]
DASHES: dict[Kind, str] = {"loss": "solid", "eval_loss": "dot", "penalty": "solid"}
NAMES: dict[Kind, str] = {"loss": "training", "eval_loss": "held out", "penalty": "penalty"}


@dataclass(frozen=True, slots=True)
class Row:
    """One curve.

    Attributes:
        arms: Arms that share the training.
        seed: The training's seed.
        kind: Which number of the log.
        steps: Optimizer steps.
        values: One for each step.
    """

    arms: tuple[str, ...]
    seed: str
    kind: Kind
    steps: tuple[int, ...]
    values: tuple[float, ...]


def rows(trainings: Sequence[Training]) -> list[Row]:
    """The curves that the logs hold; a penalty that is 0 throughout is none."""
    found = []
    for training in trainings:
        for kind in DASHES:
            points = [
                (int(row["step"]), float(row[kind]))
                for row in training.log
                if isinstance(row.get(kind), (int, float)) and "step" in row and math.isfinite(row[kind])
            ]
            if points and not (kind == "penalty" and all(value == 0 for _, value in points)):
                steps, values = zip(*points, strict=True)
                found.append(Row(training.arms, training.seed, kind, steps, values))
    return found


def draw(found: Sequence[Row], kinds: Sequence[Kind], labels: Labels, title: str) -> go.Figure:
    """The curves of the given kinds, one colour an arm; a click in the legend hides all its seeds."""
    drawn = figure(340, xaxis={"title": "optimizer step"}, yaxis={"title": title})
    shown: set[tuple[tuple[str, ...], Kind]] = set()
    for row in (row for row in found if row.kind in kinds):
        arms = plain(", ".join(row.arms))
        drawn.add_scatter(
            x=row.steps,
            y=row.values,
            name=f"{arms}, {NAMES[row.kind]}" if len(kinds) > 1 else arms,
            legendgroup=f"{arms} {row.kind}",
            showlegend=(row.arms, row.kind) not in shown,
            mode="lines+markers" if row.kind == "eval_loss" else "lines",
            marker={"size": 5},
            opacity=0.9,
            line={"color": labels.colour(row.arms[0]), "dash": DASHES[row.kind], "width": 1.6},
            hovertemplate=f"{arms}, seed {plain(row.seed)}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
        )
        shown.add((row.arms, row.kind))
    return drawn
