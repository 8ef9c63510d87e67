"""Tuning curves: validation loss over the learning rates that were tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import plotly.graph_objects as go

from flextune.report.charts.base import plain
from flextune.report.charts.marks import Line, Mark, Points
from flextune.report.charts.panels import Axis, Panel, draw_panels, is_wide
from flextune.report.settings_text import pairs, setting_name
from flextune.studies.optimizers.causes import RATE
from flextune.studies.optimizers.groups import Arm, Group
from flextune.studies.optimizers.styles import Style, styles
from flextune.studies.optimizers.training_numbers import finite


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of the tuning; a loss of None diverged."""

    rate: float
    loss: float | None
    settings: str


@dataclass(frozen=True, slots=True)
class ArmTrials:
    """One arm's trials, by rate; ``best`` is the one that was chosen."""

    data: str
    arm: str
    style: Style
    trials: tuple[Trial, ...]
    best: Trial | None


def arm_trials(groups: Sequence[Group]) -> list[ArmTrials]:
    """The trials of each arm whose learning rate was tuned."""
    known = styles(groups)
    return [
        _arm_trials(group.name, arm, known[arm.label])
        for group in groups
        for arm in group.arms
        if RATE in (arm.tuned.get("settings") or {})
    ]


def draw_rates(arms: Sequence[ArmTrials]) -> go.Figure:
    """A panel for each training data; the line joins the lowest loss of each rate."""
    rates = tuple(trial.rate for arm in arms for trial in arm.trials)
    names = dict.fromkeys(arm.data for arm in arms)
    panels = [_panel(name, [arm for arm in arms if arm.data == name], rates) for name in names]
    return draw_panels(panels, height=360)


def _panel(name: str, arms: Sequence[ArmTrials], rates: tuple[float, ...]) -> Panel:
    losses = [trial.loss for arm in arms for trial in arm.trials if trial.loss is not None]
    # Without a value of their own, diverged trials stand above all that have one.
    top = 1.08 * max(losses, default=1.0)
    wide = bool(losses) and is_wide([*losses, top], min(losses))
    y = Axis("validation loss", (*losses, top) if wide else ())
    marks = tuple(mark for arm in arms for mark in _marks(arm, top))
    return Panel(name, Axis("learning rate", rates), y, marks)


def _arm_trials(data: str, arm: Arm, style: Style) -> ArmTrials:
    trials = [
        Trial(rate, finite(trial.get("eval_loss")), _words(trial["settings"]))
        for trial in arm.tuned["trials"]
        if (rate := finite(trial["settings"].get(RATE)))
    ]
    best = _words(arm.tuned["settings"])
    return ArmTrials(
        data=data,
        arm=arm.name,
        style=style,
        trials=tuple(sorted(trials, key=lambda trial: trial.rate)),
        best=next((trial for trial in trials if trial.settings == best), None),
    )


def _words(settings: dict[str, float]) -> str:
    return pairs({setting_name(key): value for key, value in settings.items()})


def _marks(arm: ArmTrials, top: float) -> Iterator[Mark]:
    """The line, every trial, those that diverged at ``top``, and a ring around the best."""
    yield _line(arm)
    known = [trial for trial in arm.trials if trial.loss is not None]
    yield replace(_points(arm, known, top, "%{y:.4f}"), legend=True)
    diverged = [trial for trial in arm.trials if trial.loss is None]
    yield replace(_points(arm, diverged, top, "diverged"), symbol="x-thin-open", size=9)
    if arm.best is not None and arm.best.loss is not None:
        ring = _points(arm, [arm.best], top, "%{y:.4f}, best")
        yield replace(ring, symbol="circle-open", size=13, edge=2)


def _line(arm: ArmTrials) -> Line:
    lowest: dict[float, float] = {}
    for trial in arm.trials:
        if trial.loss is not None:
            lowest[trial.rate] = min(trial.loss, lowest.get(trial.rate, trial.loss))
    return Line(
        label=arm.style.label,
        x=tuple(lowest),
        y=tuple(lowest.values()),
        colour=arm.style.colour,
        dash=arm.style.dash,
        width=1.6,
        legend=False,
    )


def _points(arm: ArmTrials, trials: Sequence[Trial], top: float, value: str) -> Points:
    """Trials at their losses, or at ``top``; ``value`` is what their hover says."""
    return Points(
        label=arm.style.label,
        x=tuple(trial.rate for trial in trials),
        y=tuple(top if trial.loss is None else trial.loss for trial in trials),
        colour=arm.style.colour,
        details=tuple((plain(trial.settings),) for trial in trials),
        hover=f"{plain(arm.arm)}, %{{customdata[0]}}<br>{value}<extra></extra>",
        legend=False,
    )
