"""The numbers of a figure as a table, for whoever cannot see it or wants to copy them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from flextune.report.formats import UNDEFINED
from flextune.report.tables import Table

#: A line of more points is told by its ends and extremes.
LONGEST_LINE = 12
#: Rows of a table; a figure of more has its numbers in the run's files.
MOST_ROWS = 400

Row = tuple[str, ...]


def numbers(figure: go.Figure) -> Table | None:
    """What the figure draws: bars one by one, lines by their points, long ones by their ends and extremes.

    Of coloured fields each is told by its row and column, where these have names.

    Returns:
        None where the figure holds nothing that this can read, or too much.
    """
    fields = [row for trace in figure.data if trace.type == "heatmap" for row in _fields(trace)]
    if fields:
        return _table(("Row", "Column", "Value"), fields, align="lqr")
    bars = [row for trace in figure.data if trace.type == "bar" for row in _bars(trace)]
    lines = [
        row
        for trace in figure.data
        # An outline around a line is its band.
        if trace.type == "scatter" and trace.fill != "toself"
        for row in _points(trace, figure)
    ]
    if bars:
        return _table(("Of", "What", "Value", "Interval"), [*bars, *lines], align="lqrr")
    if lines:
        return _table(("Line", "At", "Value", "Lowest", "Highest"), lines, align="lqrrr")
    return None


def _table(header: Row, rows: Sequence[Row], align: str) -> Table | None:
    if not 0 < len(rows) <= MOST_ROWS:
        return None
    used = [column for column in range(len(header)) if any(row[column] for row in rows)]
    return Table(
        "",
        tuple(header[column] for column in used),
        tuple(tuple(row[column] for column in used) for row in rows),
        align="".join(align[column] for column in used),
    )


def _fields(trace: Any) -> Iterator[Row]:
    for name, values in zip(_list(trace.y), _list(trace.z), strict=False):
        for column, value in zip(_list(trace.x), _list(values), strict=False):
            yield _text(name), _text(column), _number(None if value is None else float(value))


def _bars(trace: Any) -> Iterator[Row]:
    lying = trace.orientation == "h"
    places, values = (trace.y, trace.x) if lying else (trace.x, trace.y)
    errors = trace.error_x if lying else trace.error_y
    for index, (place, value) in enumerate(_pairs(_places(places), _list(values))):
        yield _text(place), _text(trace.name), _number(value), _interval(errors, index, value)


def _places(places: Any) -> list[str]:
    """Names of the bars; those of two levels are joined."""
    levels = _list(places)
    if levels and isinstance(levels[0], (list, tuple)):
        return [", ".join(map(_text, names)) for names in zip(*levels, strict=True)]
    return [_text(name) for name in levels]


def _interval(errors: Any, index: int, value: float) -> str:
    below, above = (_list(side) for side in (errors.arrayminus, errors.array))
    ends = [side[index] if index < len(side) else None for side in (below, above)]
    if ends[0] is None or ends[1] is None:
        return ""
    return f"[{_number(value - ends[0])}, {_number(value + ends[1])}]"


def _points(trace: Any, figure: go.Figure) -> Iterator[Row]:
    known = [(x, y) for x, y in _pairs(_list(trace.x), _list(trace.y)) if y is not None]
    name = ", ".join(part for part in (_text(trace.name), _panel(trace, figure)) if part)
    if not known or trace.hoverinfo == "skip":
        return
    if len(known) <= LONGEST_LINE:
        for x, y in known:
            yield name, _number(x), _number(y), "", ""
    else:
        values = [y for _, y in known]
        ends = f"{_number(known[0][0])} to {_number(known[-1][0])}"
        shown = f"{_number(values[0])} to {_number(values[-1])}"
        yield name, ends, shown, _number(min(values)), _number(max(values))


def _panel(trace: Any, figure: go.Figure) -> str:
    """The title of the panel that a trace is in; empty in a figure of one pair of axes."""
    titles = figure.layout.annotations
    place = int((trace.xaxis or "x")[1:] or 1) - 1
    return _text(titles[place].text) if place < len(titles) else ""


def _pairs(places: list[Any], values: list[Any]) -> list[tuple[Any, Any]]:
    """Places with values, as plotly draws them: numbered where no places are given, no longer than either."""
    return list(zip(places or range(len(values)), values, strict=False))


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _text(value: Any) -> str:
    return " ".join(html.unescape(str(value if value is not None else "")).replace("<br>", " · ").split())


def _number(value: Any) -> str:
    """Four digits; words as they are."""
    if value is None:
        return UNDEFINED
    return f"{value:.4g}" if isinstance(value, (int, float)) else _text(value)
