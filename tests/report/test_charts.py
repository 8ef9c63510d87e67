from __future__ import annotations

from dataclasses import replace

from flextune.report.charts.bars import Bar, Segments, Series, draw_grouped_bars, draw_stacked_bars
from flextune.report.charts.grid import draw_grid
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Band, Line, Points
from flextune.report.charts.panels import Axis, Panel, draw_panels

BAND = Band((0.0, 1.0), (2.0, 3.0), 0.2)


def line(label: str, band: Band | None = None, group: str = "") -> Line:
    return Line(label, (0, 1), (1.0, 2.0), "#111111", group=group, band=band)


def test_a_band_is_a_closed_outline_below_all_lines() -> None:
    drawn = draw_lines([line("a", BAND), line("b", BAND)], x={}, y={})
    assert [trace.fill for trace in drawn.data] == ["toself", "toself", None, None]
    assert drawn.data[0].x == (0, 1, 1, 0)
    assert drawn.data[0].y == (2.0, 3.0, 1.0, 0.0)


def test_a_group_has_one_entry_in_the_legend_and_is_hidden_together() -> None:
    drawn = draw_lines([line("a, seed 0", group="a"), line("a, seed 1", group="a"), line("b")], x={}, y={})
    assert [trace.showlegend for trace in drawn.data] == [True, False, True]
    assert [trace.legendgroup for trace in drawn.data] == ["a", "a", "b"]


def test_a_named_band_has_an_entry_of_its_own_and_another_is_hidden_with_its_line() -> None:
    named = Band(BAND.low, BAND.high, 0.2, "range")
    own, of_the_line = draw_lines([line("a", named), line("b", BAND)], x={}, y={}).data[:2]
    assert (own.showlegend, own.name) == (True, "range")
    assert own.legendgroup != "a"
    assert (of_the_line.showlegend, of_the_line.legendgroup) == (False, "b")


def test_panels_share_one_legend() -> None:
    panels = [Panel(name, Axis("x"), Axis("y"), (line("a", BAND),)) for name in ("one", "two", "three")]
    drawn = draw_panels(panels)
    assert [note.text for note in drawn.layout.annotations] == ["one", "two", "three"]
    assert [trace.showlegend for trace in drawn.data if not trace.fill] == [True, False, False]
    assert len({trace.xaxis for trace in drawn.data}) == 3


def test_an_axis_may_be_logarithmic_or_start_at_zero() -> None:
    drawn = draw_panels([Panel("p", Axis("x", (0.1, 30.0)), Axis("y", from_zero=True), (line("a"),))])
    assert (drawn.layout.xaxis.type, drawn.layout.xaxis.ticktext[:4]) == ("log", ("0.1", "0.2", "0.5", "1"))
    assert (drawn.layout.yaxis.type, drawn.layout.yaxis.rangemode) == (None, "tozero")


def test_points_are_marks_without_a_line() -> None:
    ring = Points("a", (1,), (2,), "#222222", "%{y}", symbol="circle-open", size=13, edge=2)
    (trace,) = draw_panels([Panel("p", Axis("x"), Axis("y"), (ring,))]).data
    assert (trace.mode, trace.marker.symbol, trace.marker.line.width) == ("markers", "circle-open", 2)


def test_a_grid_has_a_panel_for_each_row_and_column() -> None:
    panels = {(row, column): [line("a", BAND)] for row in ("r1", "r2") for column in ("c1", "c2", "c3")}
    drawn = draw_grid(panels, title="T", x="x", y="y")
    assert [note.text for note in drawn.layout.annotations][:3] == ["r1: c1", "r1: c2", "r1: c3"]
    assert len({trace.xaxis for trace in drawn.data}) == 6
    assert sum(bool(trace.showlegend) for trace in drawn.data) == 1


def test_a_bar_has_its_interval_where_there_is_one() -> None:
    series = Series("arm", "#333333", (Bar("here", 5.0, 4.0, 8.0), Bar("there", 6.0)))
    (bars,) = draw_grouped_bars([series], x="score", hover="%{x}").data
    # An interval of length 0 would be drawn as a cap.
    assert (bars.error_x.arrayminus, bars.error_x.array) == ((1.0, None), (3.0, None))


def test_bars_carry_their_numbers_and_patterns_and_hover_says_their_name_inside() -> None:
    series = Series("arm", "#333333", (Bar("here", 5.0), Bar("there", 0.0)), "/")
    (bars,) = draw_grouped_bars([series], x="score", hover="%{x}").data
    assert bars.text == ("5.0", "")
    assert bars.marker.pattern.shape == "/"
    assert bars.hovertemplate == "<b>%{fullData.name}</b><br>%{x}<extra></extra>"
    (lines,) = draw_lines([replace(line("a"), hover="%{y}")], x={}, y={}).data
    assert lines.hovertemplate.endswith("<extra></extra>")


def test_an_axis_to_100_has_room_for_half_of_its_last_label() -> None:
    drawn = draw_stacked_bars([("g", "a")], [Segments("passed", "#444444", (100.0,), (4,))], x="%", hover="")
    assert drawn.layout.margin.r >= 20


def test_stacked_bars_have_their_groups_second_line() -> None:
    segments = [Segments("passed", "#444444", (40.0, 60.0), (4, 6))]
    (bars,) = draw_stacked_bars([("Java · base", "a"), ("Java · base", "b")], segments, x="%", hover="").data
    assert list(bars.y[0]) == ["Java<br>base", "Java<br>base"]
    assert list(bars.x) == [40.0, 60.0]


def test_names_are_text_in_every_kind_of_chart() -> None:
    name = "<b>x</b>"
    charts = (
        draw_lines([line(name, Band(BAND.low, BAND.high, 0.2, name))], x={}, y={}),
        draw_panels([Panel(name, Axis("x"), Axis("y"), (line(name, BAND),))]),
        draw_grid({(name, name): [line(name, BAND)]}, title=name, x="x", y="y"),
        draw_grouped_bars([Series(name, "#555555", (Bar(name, 1.0),))], x="x", hover=""),
        draw_stacked_bars([(name, name)], [Segments(name, "#666666", (1.0,), (1,))], x="x", hover=""),
    )
    for chart in charts:
        assert "<b>" not in chart.to_json()
