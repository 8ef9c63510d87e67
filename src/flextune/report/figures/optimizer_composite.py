"""Four numbers of the optimizers on one page, for each training data."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from flextune.report.figures import optimizer_curves
from flextune.report.figures.optimizer_curves import AXES, CURVES
from flextune.report.figures.optimizer_panels import Panel, Row, draw_panels
from flextune.report.optimizers.groups import Group

#: The last has the place of the one before where no optimizer has it.
WANTED = ("validation-loss", "perplexity", "gradient-norm", "win-rate-a", "training-loss")
PANELS = 4


def rows(groups: Sequence[Group]) -> dict[str, dict[str, list[Row]]]:
    """Training data to names of curves to lines; a curve without a line is not there."""
    found: dict[str, dict[str, list[Row]]] = {group.name: {} for group in groups}
    for name in WANTED:
        for row in optimizer_curves.rows(groups, CURVES[name]):
            found[row.data].setdefault(name, []).append(row)
    return {data: dict(list(held.items())[:PANELS]) for data, held in found.items() if held}


def draw(found: dict[str, list[Row]]) -> go.Figure:
    """Two by two."""
    panels = []
    for name, held in found.items():
        curve = CURVES[name]
        panels.append(Panel(curve.title.partition(":")[0], AXES[curve.x], curve.y, tuple(held), curve.share))
    return draw_panels(panels, min(2, len(panels)))
