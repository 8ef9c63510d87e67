"""Loss curves: the task's loss in training and on held-out examples, and the penalty apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from flextune.report.charts.base import plain
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Line
from flextune.report.labels import Labels
from flextune.report.run_data import RunData, TrainedAdapter
from flextune.report.sections import Chart, Section

Kind = Literal["loss", "eval_loss", "penalty"]
DASHES: dict[Kind, str] = {"loss": "solid", "eval_loss": "dot", "penalty": "solid"}
NAMES: dict[Kind, str] = {"loss": "training", "eval_loss": "held out", "penalty": "penalty"}


@dataclass(frozen=True, slots=True)
class LossCurve:
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


def losses_section(run: RunData, without: frozenset[str] = frozenset()) -> Section | None:
    """The losses and the penalty; None where no log holds any.

    Args:
        run: The run.
        without: Arms that are left out.
    """
    curves = loss_curves([training for training in run.trainings if without.isdisjoint(training.arms)])
    charts = tuple(_charts(curves, run.labels))
    note = "One line a seed. The task loss does not contain the penalty."
    return (
        Section(id="training", title="Training", order=50, charts=charts, notes=(note,), side_by_side=True)
        if charts
        else None
    )


def loss_curves(trainings: Sequence[TrainedAdapter]) -> list[LossCurve]:
    """The curves that the logs hold; a penalty that is 0 throughout is none."""
    curves = []
    for training in trainings:
        for kind in DASHES:
            points = [
                (int(row["step"]), float(row[kind]))
                for row in training.log
                if isinstance(row.get(kind), (int, float)) and "step" in row and math.isfinite(row[kind])
            ]
            if points and not (kind == "penalty" and all(value == 0 for _, value in points)):
                steps, values = zip(*points, strict=True)
                curves.append(LossCurve(training.arms, training.seed, kind, steps, values))
    return curves


def draw_losses(curves: Sequence[LossCurve], kinds: Sequence[Kind], labels: Labels, title: str) -> go.Figure:
    """The curves of the given kinds, one colour an arm; a click in the legend hides all its seeds.

    Args:
        curves: Those of other kinds are left out.
        kinds: Named in the legend where there are several.
        labels: Have the arms' colours.
        title: Of the vertical axis.
    """
    lines = [_line(curve, labels, named=len(kinds) > 1) for curve in curves if curve.kind in kinds]
    return draw_lines(lines, x={"title": "optimizer step"}, y={"title": title})


def _line(curve: LossCurve, labels: Labels, *, named: bool) -> Line:
    arms = ", ".join(curve.arms)
    return Line(
        label=f"{arms}, {NAMES[curve.kind]}" if named else arms,
        group=f"{arms} {curve.kind}",
        x=curve.steps,
        y=curve.values,
        colour=labels.colour(curve.arms[0]),
        dash=DASHES[curve.kind],
        width=1.6,
        opacity=0.9,
        markers=5 if curve.kind == "eval_loss" else 0,
        hover=f"{plain(arms)}, seed {plain(curve.seed)}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
    )


def _charts(curves: Sequence[LossCurve], labels: Labels) -> Iterator[Chart]:
    kinds = {curve.kind for curve in curves}
    if kinds & {"loss", "eval_loss"}:
        figure = draw_losses(curves, ("loss", "eval_loss"), labels, "task loss, nats per token")
        yield Chart("losses", "Task loss", figure)
    if "penalty" in kinds:
        yield Chart("penalty", "Penalty", draw_losses(curves, ("penalty",), labels, "weighted penalty"))
