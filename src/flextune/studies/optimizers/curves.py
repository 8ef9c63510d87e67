"""What optimizers do over steps and over time: losses, perplexity, gradient norm, win rates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.charts.base import plain
from flextune.report.charts.marks import Band, Line
from flextune.report.charts.panels import Axis, Panel, draw_panels, is_wide
from flextune.report.formats import count
from flextune.report.run_data import JsonObject
from flextune.studies.optimizers.groups import Arm, Group
from flextune.studies.optimizers.styles import Style, styles
from flextune.studies.optimizers.training_numbers import finite


@dataclass(frozen=True, slots=True)
class Curve:
    """One number of the logs.

    Attributes:
        title: What the figure is called.
        key: In training.jsonl.
        y: Title of the axis.
        x: ``step`` or ``seconds``.
        exponential: Whether ``exp`` of it is drawn.
        share: Whether it lies between 0 and 1.
    """

    title: str
    key: str
    y: str
    x: str = "step"
    exponential: bool = False
    share: bool = False


@dataclass(frozen=True, slots=True)
class ArmCurve:
    """One arm's line: the mean over seeds, and the range that they span.

    Attributes:
        data: Name of the group.
        arm: The arm.
        style: Of the line.
        x: Steps or seconds.
        mean: One for each.
        low: The lowest seed there.
        high: The highest.
        seeds: How many.
    """

    data: str
    arm: str
    style: Style
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: int


#: By the name of the figure's file.
CURVES = {
    "training-loss": Curve("Training loss", "loss", "nats per token"),
    "validation-loss": Curve("Validation loss", "eval_loss", "nats per token"),
    "perplexity": Curve("Perplexity on validation examples", "eval_loss", "perplexity", exponential=True),
    "gradient-norm": Curve("Gradient norm before clipping", "grad_norm", "norm"),
    "win-rate-a": Curve(
        "Win rate of A: share of coordinates not clipped", "win_rate_a", "win rate", share=True
    ),
    "win-rate-b": Curve(
        "Win rate of B: share of coordinates not clipped", "win_rate_b", "win rate", share=True
    ),
    "loss-over-seconds": Curve("Validation loss over time", "eval_loss", "nats per token", x="seconds"),
}
AXES = {"step": "optimizer step", "seconds": "seconds of training, estimates included"}
#: The composite's curves; the last has the place of the one before where no optimizer has it.
COMPOSITE = ("validation-loss", "perplexity", "gradient-norm", "win-rate-a", "training-loss")
COMPOSITE_PANELS = 4


def arm_curves(groups: Sequence[Group], curve: Curve) -> list[ArmCurve]:
    """A line for each arm that logged the number.

    It runs over the steps at which all of the arm's seeds have it, so that no seed enters or leaves a mean;
    over time, a step's place is the mean of the seeds' seconds.
    """
    known = styles(groups)
    lines = (_arm_curve(group.name, arm, known[arm.label], curve) for group in groups for arm in group.arms)
    return [line for line in lines if line is not None]


def composite_curves(groups: Sequence[Group]) -> dict[str, dict[str, list[ArmCurve]]]:
    """Training data to names of curves to lines; a curve without a line is not there."""
    by_data: dict[str, dict[str, list[ArmCurve]]] = {group.name: {} for group in groups}
    for name in COMPOSITE:
        for line in arm_curves(groups, CURVES[name]):
            by_data[line.data].setdefault(name, []).append(line)
    return {data: dict(list(lines.items())[:COMPOSITE_PANELS]) for data, lines in by_data.items() if lines}


def draw_curve(lines: Sequence[ArmCurve], curve: Curve) -> go.Figure:
    """A panel for each training data."""
    names = dict.fromkeys(line.data for line in lines)
    return draw_panels([_panel(name, [one for one in lines if one.data == name], curve) for name in names])


def draw_composite(lines: dict[str, list[ArmCurve]]) -> go.Figure:
    """A panel for each curve of one training data."""
    return draw_panels(list(_composite_panels(lines)))


def _composite_panels(lines: dict[str, list[ArmCurve]]) -> Iterator[Panel]:
    for name, arms in lines.items():
        yield _panel(CURVES[name].title.partition(":")[0], arms, CURVES[name])


def _panel(title: str, lines: Sequence[ArmCurve], curve: Curve) -> Panel:
    marks = tuple(_mark(line) for line in lines)
    return Panel(title, Axis(AXES[curve.x]), _y_axis(lines, curve), marks)


def _y_axis(lines: Sequence[ArmCurve], curve: Curve) -> Axis:
    values = [value for line in lines for value in (*line.low, *line.high)]
    wide = not curve.share and is_wide(values, min(line.mean[-1] for line in lines))
    return Axis(curve.y, tuple(values) if wide else (), from_zero=curve.share)


def _mark(line: ArmCurve) -> Line:
    return Line(
        label=line.style.label,
        x=line.x,
        y=line.mean,
        colour=line.style.colour,
        dash=line.style.dash,
        band=Band(line.low, line.high, 0.14),
        details=tuple(zip(line.low, line.high, strict=True)),
        hover=f"{plain(line.arm)}, {count(line.seeds, 'seed')}<br>%{{x:.4g}}: %{{y:.4g}} "
        "(%{customdata[0]:.4g} to %{customdata[1]:.4g})<extra></extra>",
    )


def _arm_curve(data: str, arm: Arm, style: Style, curve: Curve) -> ArmCurve | None:
    seeds = [points for log in arm.logs.values() if (points := _points(log, curve))]
    steps = sorted(set.intersection(*(set(points) for points in seeds))) if seeds else []
    if not steps:
        return None
    columns = [[points[step][1] for points in seeds] for step in steps]
    places = [[points[step][0] for points in seeds] for step in steps]
    return ArmCurve(
        data=data,
        arm=arm.name,
        style=style,
        x=tuple(sum(place) / len(seeds) for place in places),
        mean=tuple(sum(column) / len(seeds) for column in columns),
        low=tuple(map(min, columns)),
        high=tuple(map(max, columns)),
        seeds=len(seeds),
    )


def _points(log: Sequence[JsonObject], curve: Curve) -> dict[float, tuple[float, float]]:
    """Step to place on the axis and value; what is not finite is no point."""
    points = {}
    for row in log:
        step, place, value = (finite(row.get(key)) for key in ("step", curve.x, curve.key))
        if step is not None and place is not None and value is not None and value < 700:
            points[step] = (place, math.exp(value) if curve.exponential else value)
    return points
