"""Points on a plane, coloured fields, opposed bars, points in three dimensions."""

from __future__ import annotations

from flextune.report.charts.bars import Segments, draw_opposed_bars
from flextune.report.charts.heat import Tile, draw_heat
from flextune.report.charts.numbers import numbers
from flextune.report.charts.plane import Path, Spot, draw_plane
from flextune.report.charts.surface import Depth, Peak, Sheet, draw_surface


def test_a_point_has_intervals_in_both_directions() -> None:
    spots = (Spot("a", 1, 2, (0, 3), (1, 5)), Spot("b", 2, 4))
    bars, points = draw_plane([Path("family", "#111111", spots)], x="x", y="y", hover="").data
    assert (bars.error_x.array, bars.error_x.arrayminus) == ((2, None), (1, None))
    assert (bars.error_y.array, bars.error_y.arrayminus) == ((3, None), (1, None))
    assert points.mode == "lines+markers+text"
    assert bars.legendgroup == points.legendgroup
    assert not bars.showlegend


def test_one_point_alone_has_no_line() -> None:
    drawn = draw_plane([Path("a", "#111111", (Spot("", 1, 2),))], x="", y="", hover="", through=(1, 2))
    assert drawn.data[-1].mode == "markers+text"
    assert len(drawn.layout.shapes) == 2


def test_colours_around_zero_reach_as_far_on_both_sides() -> None:
    tiles = [[Tile(-1.0, "<b>"), Tile(4.0)], [Tile(None), Tile(0.0)]]
    drawn = draw_heat(["r", "s"], ["c", "d · e"], tiles, scale="points", around_zero=True)
    (trace,) = drawn.data
    assert (trace.zmin, trace.zmax) == (-4, 4)
    assert trace.text[0][0] == "&lt;b&gt;"
    assert trace.x == ("c", "d<br>e")
    rising = draw_heat(["r"], ["c"], [[Tile(1.0)]], scale="").data[0]
    assert rising.zmin is None


def test_fields_are_listed_by_row_and_column() -> None:
    found = numbers(draw_heat(["r"], ["c", "d"], [[Tile(1.5), Tile(None)]], scale=""))
    assert found is not None
    assert found.rows == (("r", "c", "1.5"), ("r", "d", "–"))


def test_opposed_bars_point_away_from_zero() -> None:
    won = Segments("won", "#111111", (3.0, 0.0), ("of 9", "of 9"))
    lost = Segments("lost", "#222222", (5.0, 2.0), ("of 9", "of 9"), "/")
    left, right = draw_opposed_bars(["a", "b"], won, lost, x="", hover="").data
    assert (left.name, left.x, left.text) == ("lost", (-5, -2), ("5", "2"))
    assert (right.name, right.x, right.text) == ("won", (3, 0), ("3", ""))


def test_a_surface_lies_between_the_ends_of_its_interval() -> None:
    sheet = Sheet((0.1, 1), (0, 1), ((2, 2), (2, 2)), ((1, 1), (1, 1)), ((3, 3), (3, 3)))
    peaks = [Peak(0.1, 0, 2, 1, 3, "<i>")]
    drawn = draw_surface(peaks, sheet, x=Depth("x", log=True), y=Depth("y"), z="z")
    assert [trace.type for trace in drawn.data] == ["surface"] * 3 + ["scatter3d"] * 2
    assert drawn.data[3].z == (1, 3, None)
    assert drawn.data[4].text == ("&lt;i&gt;",)
    assert drawn.layout.scene.xaxis.type == "log"
    assert drawn.layout.scene.xaxis.ticktext == ("0.1",)
    assert len(draw_surface(peaks, None, x=Depth("x"), y=Depth("y"), z="z").data) == 2
