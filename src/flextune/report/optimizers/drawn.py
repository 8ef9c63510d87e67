"""Every figure of a comparison of optimizers, by the name of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from flextune.report.figures import optimizer_composite, optimizer_curves, optimizer_rates
from flextune.report.figures.optimizer_curves import CURVES
from flextune.report.optimizers.groups import Group


def optimizer_figures(groups: Sequence[Group]) -> Iterator[tuple[str, str, go.Figure]]:
    """Name, title and figure; one without data is not there."""
    for number, (data, found) in enumerate(optimizer_composite.rows(groups).items(), start=1):
        yield (
            f"composite-{number}",
            f"{data}: losses, gradient norm and win rate",
            optimizer_composite.draw(found),
        )
    for name, curve in CURVES.items():
        if held := optimizer_curves.rows(groups, curve):
            yield name, curve.title, optimizer_curves.draw(held, curve)
    if rates := optimizer_rates.rows(groups):
        yield "learning-rates", "Validation loss over the learning rates tried", optimizer_rates.draw(rates)
