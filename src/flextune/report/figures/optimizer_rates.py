"""Tuning curves: validation loss over the learning rates that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from flextune.report.figures.drawing import plain
from flextune.report.figures.optimizer_panels import WIDE, Style, finish, grid, styles, ticks
from flextune.report.optimizers.groups import Arm, Group, finite
from flextune.report.wording import pairs, setting_name

RATE = "train.learning_rate"


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of the tuning; a loss of None diverged."""

    rate: float
    loss: float | None
    settings: str


@dataclass(frozen=True, slots=True)
class Row:
    """One arm's trials, by rate; ``best`` is the one that was chosen."""

    data: str
    arm: str
    style: Style
    trials: tuple[Trial, ...]
    best: Trial | None


def rows(groups: Sequence[Group]) -> list[Row]:
    """A row for each arm whose learning rate was tuned."""
    known = styles(groups)
    return [
        _row(group.name, arm, known[arm.label])
        for group in groups
        for arm in group.arms
        if RATE in (arm.tuned.get("settings") or {})
    ]


def draw(found: Sequence[Row]) -> go.Figure:
    """A panel for each training data; the line joins the lowest loss of each rate."""
    names = list(dict.fromkeys(row.data for row in found))
    columns = min(2, len(names))
    drawn = grid(len(names), columns, height=360)
    shown: set[str] = set()
    for index, name in enumerate(names):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        held = [row for row in found if row.data == name]
        losses = [trial.loss for row in held for trial in row.trials if trial.loss is not None]
        # Without a value of their own they stand above all that have one.
        top = 1.08 * max(losses, default=1.0)
        for row in held:
            drawn.add_trace(_line(row), **place)
            drawn.add_trace(_trials(row, row.style.label not in shown), **place)
            drawn.add_trace(_diverged(row, top), **place)
            if row.best is not None and row.best.loss is not None:
                drawn.add_trace(_best(row, row.best), **place)
            shown.add(row.style.label)
        drawn.layout.annotations[index].text = plain(name)
        wide = bool(losses) and 0 < WIDE * min(losses) < top
        drawn.update_yaxes(title_text="validation loss", **(ticks([*losses, top]) if wide else {}), **place)
        drawn.update_xaxes(title_text="learning rate", **place)
    finish(drawn)
    drawn.update_xaxes(**ticks([trial.rate for row in found for trial in row.trials]))
    return drawn


def _row(data: str, arm: Arm, style: Style) -> Row:
    trials = [
        Trial(rate, finite(trial.get("eval_loss")), _words(trial["settings"]))
        for trial in arm.tuned["trials"]
        if (rate := finite(trial["settings"].get(RATE)))
    ]
    best = _words(arm.tuned["settings"])
    return Row(
        data=data,
        arm=arm.name,
        style=style,
        trials=tuple(sorted(trials, key=lambda trial: trial.rate)),
        best=next((trial for trial in trials if trial.settings == best), None),
    )


def _words(settings: dict[str, float]) -> str:
    return pairs({setting_name(key): value for key, value in settings.items()})


def _line(row: Row) -> go.Scatter:
    lowest: dict[float, float] = {}
    for trial in row.trials:
        if trial.loss is not None:
            lowest[trial.rate] = min(trial.loss, lowest.get(trial.rate, trial.loss))
    return go.Scatter(
        x=list(lowest),
        y=list(lowest.values()),
        mode="lines",
        line={"color": row.style.colour, "dash": row.style.dash, "width": 1.6},
        hoverinfo="skip",
        legendgroup=plain(row.style.label),
        showlegend=False,
    )


def _trials(row: Row, first: bool) -> go.Scatter:
    held = [trial for trial in row.trials if trial.loss is not None]
    return _points(row, held, [trial.loss for trial in held], showlegend=first, marker={"size": 6})


def _diverged(row: Row, top: float) -> go.Scatter:
    held = [trial for trial in row.trials if trial.loss is None]
    return _points(
        row,
        held,
        [top] * len(held),
        "diverged",
        showlegend=False,
        marker={"size": 9, "symbol": "x-thin-open"},
    )


def _best(row: Row, best: Trial) -> go.Scatter:
    marker = {"size": 13, "symbol": "circle-open", "line": {"width": 2}}
    return _points(row, [best], [best.loss], "best", showlegend=False, marker=marker)


def _points(
    row: Row,
    trials: Sequence[Trial],
    losses: Sequence[float | None],
    word: str = "",
    *,
    showlegend: bool,
    marker: dict[str, object],
) -> go.Scatter:
    value = word if word == "diverged" else "%{y:.4f}" + (f", {word}" if word else "")
    return go.Scatter(
        x=[trial.rate for trial in trials],
        y=list(losses),
        mode="markers",
        marker={"color": row.style.colour, **marker},
        customdata=[[plain(trial.settings)] for trial in trials],
        hovertemplate=f"{plain(row.arm)}, %{{customdata[0]}}<br>{value}<extra></extra>",
        name=plain(row.style.label),
        legendgroup=plain(row.style.label),
        showlegend=showlegend,
    )
