"""Curves of trainings: the task's loss, also on held-out examples, the penalty, and pass@1 meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

import plotly.graph_objects as go

from flextune.config import PASS_AT_1
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Band, Line
from flextune.report.labels import Labels
from flextune.report.run_data import RunData, TrainedAdapter
from flextune.report.sections import Chart, Section

#: Numbers of a log to what a legend calls them; those of evaluations while training come behind.
NAMES = {"loss": "training", "eval_loss": "held out", "penalty": "penalty"}
#: Dashes of the second, third, ... kind of one figure.
_DASHES = ("dot", "dash", "dashdot", "longdash")


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
    kind: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def losses_section(run: RunData, without: frozenset[str] = frozenset()) -> Section | None:
    """The losses, the penalty and pass@1 while training; None where no log holds any.

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
        for kind in [*NAMES, *_watched(training)]:
            points = [
                (int(row["step"]), float(row[kind]))
                for row in training.log
                if isinstance(row.get(kind), (int, float)) and "step" in row and math.isfinite(row[kind])
            ]
            if points and not (kind == "penalty" and all(value == 0 for _, value in points)):
                steps, values = zip(*points, strict=True)
                curves.append(LossCurve(training.arms, training.seed, kind, steps, values))
    return curves


def _watched(training: TrainedAdapter) -> list[str]:
    """What was evaluated while it trained, without the mean."""
    names = dict.fromkeys(key for row in training.log for key in row if key.startswith(PASS_AT_1))
    return [name for name in names if name != PASS_AT_1]


def draw_losses(curves: Sequence[LossCurve], kinds: Sequence[str], labels: Labels, title: str) -> go.Figure:
    """For each arm and kind the mean over its seeds, with their range around it.

    Args:
        curves: Those of other kinds are left out.
        kinds: Named in the legend where there are several.
        labels: Have the arms' colours.
        title: Of the vertical axis.
    """
    grouped: dict[tuple[tuple[str, ...], str], list[LossCurve]] = {}
    for curve in curves:
        if curve.kind in kinds:
            grouped.setdefault((curve.arms, curve.kind), []).append(curve)
    lines = [
        _line(seeds, labels, place=kinds.index(kind), named=len(kinds) > 1)
        for (_, kind), seeds in grouped.items()
    ]
    return draw_lines(lines, x={"title": "optimizer step"}, y={"title": title})


def _line(curves: Sequence[LossCurve], labels: Labels, *, place: int, named: bool) -> Line:
    """The mean over the seeds of one arm and of the kind at a place; a step counts where any has it."""
    arms, kind = ", ".join(curves[0].arms), curves[0].kind
    by_step: dict[int, list[float]] = {}
    for curve in curves:
        for step, value in zip(curve.steps, curve.values, strict=True):
            by_step.setdefault(step, []).append(value)
    steps = tuple(sorted(by_step))
    low, high = (tuple(end(by_step[step]) for step in steps) for end in (min, max))
    style = labels.style(curves[0].arms[0])
    return Line(
        label=f"{arms}, {NAMES.get(kind, _place_of(kind))}" if named else arms,
        x=steps,
        y=tuple(mean(by_step[step]) for step in steps),
        colour=style.colour,
        dash=_DASHES[(place - 1) % len(_DASHES)] if place else style.dash,
        width=1.8 if kind in ("loss", "penalty") else 2.2,
        markers=0 if kind in ("loss", "penalty") else 6,
        band=Band(low, high, 0.16) if len(curves) > 1 else None,
        details=tuple((len(by_step[step]), low[i], high[i]) for i, step in enumerate(steps)),
        hover="step %{x}: %{y:.4g}<br>%{customdata[0]} seeds, %{customdata[1]:.4g} to %{customdata[2]:.4g}",
    )


def _place_of(kind: str) -> str:
    """``java`` of ``pass_at_1_java``."""
    return kind.removeprefix(f"{PASS_AT_1}_").replace("_", " ")


def _charts(curves: Sequence[LossCurve], labels: Labels) -> Iterator[Chart]:
    kinds = {curve.kind for curve in curves}
    if kinds & {"loss", "eval_loss"}:
        figure = draw_losses(curves, ("loss", "eval_loss"), labels, "task loss, nats per token")
        yield Chart("losses", "Task loss", figure)
    if "penalty" in kinds:
        yield Chart("penalty", "Penalty", draw_losses(curves, ("penalty",), labels, "weighted penalty"))
    watched = [kind for kind in dict.fromkeys(curve.kind for curve in curves) if kind not in NAMES]
    if watched:
        named = f": {_place_of(watched[0])}" if len(watched) == 1 else ""
        figure = draw_losses(curves, watched, labels, "pass@1")
        yield Chart("watched", f"pass@1 while training{named}", figure)
