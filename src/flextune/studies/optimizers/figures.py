"""Every figure of a comparison of optimizers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flextune.report.sections import Chart
from flextune.studies.optimizers.curves import (
    CURVES,
    arm_curves,
    composite_curves,
    draw_composite,
    draw_curve,
)
from flextune.studies.optimizers.groups import Group
from flextune.studies.optimizers.rates import arm_trials, draw_rates


def optimizer_figures(groups: Sequence[Group]) -> Iterator[Chart]:
    """Charts by the names of their files; one without data is not there."""
    for number, (data, lines) in enumerate(composite_curves(groups).items(), start=1):
        title = f"{data}: losses, gradient norm and win rate"
        yield Chart(f"composite-{number}", title, draw_composite(lines))
    for name, curve in CURVES.items():
        if arms := arm_curves(groups, curve):
            yield Chart(name, curve.title, draw_curve(arms, curve))
    if trials := arm_trials(groups):
        yield Chart("learning-rates", "Validation loss over the learning rates tried", draw_rates(trials))
