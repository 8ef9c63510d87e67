"""What optimizers do over steps and over time: losses, perplexity, gradient norm, win rates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.figures.optimizer_panels import Panel, Row, Style, draw_panels, styles
from flextune.report.optimizers.groups import Arm, Group, finite


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


def rows(groups: Sequence[Group], curve: Curve) -> list[Row]:
    """A line for each arm that logged the number.

    It runs over the steps at which all of the arm's seeds have it, so that no seed enters or leaves a mean;
    over time, a step's place is the mean of the seeds' seconds.
    """
    known = styles(groups)
    found = []
    for group in groups:
        for arm in group.arms:
            row = _row(group.name, arm, known[arm.label], curve)
            if row is not None:
                found.append(row)
    return found


def draw(found: Sequence[Row], curve: Curve) -> go.Figure:
    """A panel for each training data, two across."""
    panels = list(_panels(found, curve))
    return draw_panels(panels, min(2, len(panels)))


def _panels(found: Sequence[Row], curve: Curve) -> Iterator[Panel]:
    names = dict.fromkeys(row.data for row in found)
    for name in names:
        held = tuple(row for row in found if row.data == name)
        yield Panel(name, AXES[curve.x], curve.y, held, curve.share)


def _row(data: str, arm: Arm, style: Style, curve: Curve) -> Row | None:
    seeds = [found for log in arm.logs.values() if (found := _points(log, curve))]
    steps = sorted(set.intersection(*(set(points) for points in seeds))) if seeds else []
    if not steps:
        return None
    columns = [[points[step][1] for points in seeds] for step in steps]
    places = [[points[step][0] for points in seeds] for step in steps]
    return Row(
        data=data,
        arm=arm.name,
        style=style,
        x=tuple(sum(place) / len(seeds) for place in places),
        mean=tuple(sum(column) / len(seeds) for column in columns),
        low=tuple(map(min, columns)),
        high=tuple(map(max, columns)),
        seeds=len(seeds),
    )


def _points(log: Sequence[dict[str, object]], curve: Curve) -> dict[float, tuple[float, float]]:
    """Step to place on the axis and value; what is not finite is no point."""
    found = {}
    for line in log:
        step, place, value = (finite(line.get(key)) for key in ("step", curve.x, curve.key))
        if step is not None and place is not None and value is not None and value < 700:
            found[step] = (place, math.exp(value) if curve.exponential else value)
    return found
