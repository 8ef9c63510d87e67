"""What all charts share."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go

from flextune.report.palette import AXES

#: Drawn in mid grey, so that the figure also reads outside of the page, which sets its own ink.
INK = AXES.light


def figure(height: int, **layout: Any) -> go.Figure:
    """An empty figure without a template: the page adds its colours, light or dark."""
    drawn = go.Figure()
    drawn.update_layout(
        template="none",
        height=height,
        # An axis that ends at a tick needs room for half of its label.
        margin={"l": 56, "r": 24, "t": 36, "b": 48},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hoverlabel={"align": "left"},
        font={"size": 13},
    )
    drawn.update_layout(**layout)
    drawn.update_xaxes(title_font_size=13, automargin=True)
    drawn.update_yaxes(title_font_size=13, automargin=True)
    return drawn


def plain(text: str) -> str:
    """Text that plotly shows as it is: it would read ``<b>`` and links as markup."""
    return html.escape(text)


def boxed(template: str) -> str:
    """The template with the trace's name in the box: plotly puts it outside, in pale letters."""
    if not template or "<extra>" in template:
        return template
    return f"<b>%{{fullData.name}}</b><br>{template}<extra></extra>"
