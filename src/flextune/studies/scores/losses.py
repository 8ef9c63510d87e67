"""Loss curves: the task's loss in training and on held-out examples, and the penalty apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

import plotly.graph_objects as go

from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Band, Line
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
    note = "Means over the seeds, with their range around them. The task loss does not contain the penalty."
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
    """For each arm and kind the mean over its seeds, with their range around it.

    Args:
        curves: Those of other kinds are left out.
        kinds: Named in the legend where there are several.
        labels: Have the arms' colours.
        title: Of the vertical axis.
    """
    grouped: dict[tuple[tuple[str, ...], Kind], list[LossCurve]] = {}
    for curve in curves:
        if curve.kind in kinds:
            grouped.setdefault((curve.arms, curve.kind), []).append(curve)
    lines = [_line(seeds, labels, named=len(kinds) > 1) for seeds in grouped.values()]
    return draw_lines(lines, x={"title": "optimizer step"}, y={"title": title})


def _line(curves: Sequence[LossCurve], labels: Labels, *, named: bool) -> Line:
    """The mean over the seeds of one arm and kind; a step counts where any of them has it."""
    arms, kind = ", ".join(curves[0].arms), curves[0].kind
    by_step: dict[int, list[float]] = {}
    for curve in curves:
        for step, value in zip(curve.steps, curve.values, strict=True):
            by_step.setdefault(step, []).append(value)
    steps = tuple(sorted(by_step))
    low, high = (tuple(end(by_step[step]) for step in steps) for end in (min, max))
    style = labels.style(curves[0].arms[0])
    return Line(
        label=f"{arms}, {NAMES[kind]}" if named else arms,
        x=steps,
        y=tuple(mean(by_step[step]) for step in steps),
        colour=style.colour,
        dash=DASHES[kind] if kind == "eval_loss" else style.dash,
        width=2.2 if kind == "eval_loss" else 1.8,
        markers=6 if kind == "eval_loss" else 0,
        band=Band(low, high, 0.16) if len(curves) > 1 else None,
        details=tuple((len(by_step[step]), low[i], high[i]) for i, step in enumerate(steps)),
        hover="step %{x}: %{y:.4g}<br>%{customdata[0]} seeds, %{customdata[1]:.4g} to %{customdata[2]:.4g}",
    )


def _charts(curves: Sequence[LossCurve], labels: Labels) -> Iterator[Chart]:
    kinds = {curve.kind for curve in curves}
    if kinds & {"loss", "eval_loss"}:
        figure = draw_losses(curves, ("loss", "eval_loss"), labels, "task loss, nats per token")
        yield Chart("losses", "Task loss", figure)
    if "penalty" in kinds:
        yield Chart("penalty", "Penalty", draw_losses(curves, ("penalty",), labels, "weighted penalty"))
