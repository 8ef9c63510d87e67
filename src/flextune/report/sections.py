"""What a page is made of: sections with their text, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import plotly.graph_objects as go

from flextune.report.charts.numbers import numbers
from flextune.report.tables import Table


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its caption.

    Attributes:
        id: Unique on the page; also the name of its file, where it is written as one.
        title: The caption.
        figure: Drawn in the page's colours.
        text: What it shows, in a sentence or two for whoever cannot see it.
    """

    id: str
    title: str
    figure: go.Figure
    text: str = ""

    @property
    def numbers(self) -> Table | None:
        """What the figure draws, as a table; None where a table would not help."""
        return numbers(self.figure)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A section's own markup, where text, charts and tables one after another do not do.

    Attributes:
        template: A Jinja template. It sees ``section``, ``values`` by their names, and may import the macros
            ``chart``, ``table``, ``scroll`` and ``names`` from ``macros.html.j2``. Values are escaped.
        values: By name.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page.

    Attributes:
        id: Unique on the page; the anchor.
        title: The heading.
        order: Sections come in this order; those with equal numbers as they are given.
        name: In the list of sections at the top; the title if empty.
        headline: What the page says first, above all sections: a few words, printed bold, and what goes on.
        intro: A paragraph above everything else.
        charts: Drawn after it.
        tables: Below the charts.
        notes: Small print, a paragraph each.
        side_by_side: Charts stand in two columns where the window is wide enough.
        fragment: In place of intro, charts, tables and notes. It must draw every chart that the section has.
        style: CSS of its own.
        script: JavaScript of its own, run after the page's, whose ``page`` it may use (``templates/page/``).
        data: JSON for the script, in the element ``ID-data``.
    """

    id: str
    title: str
    order: int = 75
    name: str = ""
    headline: tuple[tuple[str, str], ...] = ()
    intro: str = ""
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    side_by_side: bool = False
    fragment: Fragment | None = None
    style: str = ""
    script: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def asset(package: str, name: str) -> str:
    """The text of a file that lies beside a package's modules: a template, a script."""
    return (resources.files(package) / name).read_text(encoding="utf-8")
