"""Lines on one pair of axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.base import figure
from flextune.report.charts.marks import Mark, draw_marks


def draw_lines(lines: Sequence[Mark], *, x: Mapping[str, Any], y: Mapping[str, Any]) -> go.Figure:
    """Draw lines and points; a click in the legend hides all lines of a group.

    Args:
        lines: In the order in which they are drawn.
        x: Plotly's settings of the horizontal axis: ``title``, ``range``, ...
        y: Of the vertical one.
    """
    drawn = figure(340, xaxis=dict(x), yaxis=dict(y))
    draw_marks(drawn, lines, set())
    return drawn
