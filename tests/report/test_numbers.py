from __future__ import annotations

import plotly.graph_objects as go

from flextune.report.charts.bars import Bar, Segments, Series, draw_grouped_bars, draw_stacked_bars
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Band, Line
from flextune.report.charts.numbers import LONGEST_LINE, numbers
from flextune.report.charts.panels import Axis, Panel, draw_panels


def test_bars_are_listed_with_their_intervals() -> None:
    series = [Series("lora", "#333333", (Bar("Java · old words", 5.0, 4.0, 8.0), Bar("Python", 6.0)))]
    found = numbers(draw_grouped_bars(series, x="score", hover=""))
    assert found is not None
    assert found.header == ("Of", "What", "Value", "Interval")
    assert found.rows == (("Java · old words", "lora", "5", "[4, 8]"), ("Python", "lora", "6", ""))


def test_stacked_bars_are_listed_by_group_and_name() -> None:
    drawn = draw_stacked_bars(
        [("Java", "a <b>")], [Segments("passed", "#444444", (40.0,), (4,))], x="%", hover=""
    )
    found = numbers(drawn)
    assert found is not None
    assert found.rows == (("Java, a <b>", "passed", "40"),)


def test_a_long_line_is_told_by_its_ends_and_extremes_and_its_band_is_no_line() -> None:
    x = tuple(range(LONGEST_LINE + 1))
    y = tuple(float((step - 3) ** 2) for step in x)
    line = Line("loss", x, y, "#111111", hover="%{y}", band=Band(y, y, 0.2))
    found = numbers(draw_lines([line], x={}, y={}))
    assert found is not None
    assert found.rows == (("loss", "0 to 12", "9 to 81", "0", "81"),)


def test_points_of_panels_are_named_by_their_panel() -> None:
    marks = (Line("a", (1, 2), (3.0, 4.0), "#111111", hover="%{y}"),)
    found = numbers(draw_panels([Panel(name, Axis("x"), Axis("y"), marks) for name in ("one", "two")]))
    assert found is not None
    assert [row[:3] for row in found.rows] == [
        ("a, one", "1", "3"), ("a, one", "2", "4"), ("a, two", "1", "3"), ("a, two", "2", "4"),
    ]  # fmt: skip


def test_values_without_places_are_numbered() -> None:
    found = numbers(go.Figure([go.Bar(y=[3.0, 4.0], name="bars"), go.Scatter(y=[5.0], name="line")]))
    assert found is not None
    assert [row[:3] for row in found.rows] == [("0", "bars", "3"), ("1", "bars", "4"), ("line", "0", "5")]


def test_what_cannot_be_read_has_no_table() -> None:
    assert numbers(go.Figure()) is None
    assert numbers(go.Figure(go.Heatmap(z=[[1]]))) is None
