"""The plane and the matrices as charts."""

from __future__ import annotations

from collections.abc import Iterator

from flextune.report.charts.plane import Ends, Path, Spot, draw_plane
from flextune.report.formats import interval, percent
from flextune.report.palette import BASELINE, arm_style
from flextune.report.run_data import RunData
from flextune.report.sections import Chart
from flextune.statistics.intervals import Interval
from flextune.studies.base import once_per_run
from flextune.studies.transfer.families import Family, own_arms, value_text
from flextune.studies.transfer.matrices import matrices, matrix_chart
from flextune.studies.transfer.plane import Plane, Point, place_words, planes

#: Shapes of the points, where families are many.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon", "star")


@once_per_run
def transfer_charts(run: RunData) -> tuple[Chart, ...]:
    """A plane for each way of decoding, then the matrices."""
    found = planes(run)
    charts = [plane_chart(plane, run, number) for number, plane in enumerate(found)]
    return (*charts, *(matrix_chart(matrix, run) for matrix in matrices(run)))


def plane_chart(plane: Plane, run: RunData, number: int) -> Chart:
    """Learned across, kept upright."""
    several = len({where[3] for where in run.labels.settings}) > 1
    title = "Learned and kept, with 95 % intervals" + (f" ({plane.decoding})" if several else "")
    base = plane.point(plane.baseline)
    drawn = draw_plane(
        list(_paths(plane)),
        x=f"learned: pass@1 in {place_words(run, plane.learned)}, %",
        y=f"kept: pass@1 in {place_words(run, plane.kept)}, %",
        hover="%{customdata[0]}<br>learned %{customdata[1]}<br>kept %{customdata[2]}",
        through=(100 * base.learned.value, 100 * base.kept.value),
    )
    text = "Each point is an arm; a line joins the arms of a family in the order of their strength."
    return Chart("plane" if not number else f"plane-{number + 1}", title, drawn, text)


def _paths(plane: Plane) -> Iterator[Path]:
    """Families in their colours; an arm that begins several is a point of its own on top."""
    shared = _shared(plane)
    for place, family in enumerate(plane.families):
        style = arm_style(place)
        spots = tuple(_spot(plane.point(arm), _label(plane, family, arm)) for arm in family.arms)
        symbol = SYMBOLS[place % len(SYMBOLS)]
        yield Path(family.name, style.colour, spots, style.dash, symbol)
    for arm in shared:
        yield Path(arm, BASELINE.colour, (_spot(plane.point(arm), arm),), symbol="circle-open", size=14)
    base = plane.point(plane.baseline)
    label = plane.baseline if "base" in plane.baseline else f"{plane.baseline} (baseline)"
    yield Path(label, BASELINE.colour, (_spot(base, plane.baseline),), symbol="x", size=11)


def _shared(plane: Plane) -> list[str]:
    """Arms that several families have."""
    lines = [family for family in plane.families if len(family.arms) > 1]
    return [point.arm for point in plane.trained if sum(point.arm in family.arms for family in lines) > 1]


def _label(plane: Plane, family: Family, arm: str) -> str:
    """The strength, where a family has several of its own; else the legend says enough."""
    if not family.key:
        return arm
    own = own_arms(family, plane.families)
    return value_text(family, arm) if arm in own and len(own) > 1 else ""


def _spot(point: Point, label: str) -> Spot:
    sides = (point.learned, point.kept)
    words = [f"{percent(side.value)} % {_span(side.ends)}".rstrip() for side in sides]
    return Spot(
        label,
        100 * point.learned.value,
        100 * point.kept.value,
        _ends(point.learned.ends),
        _ends(point.kept.ends),
        (point.arm, *words),
    )


def _span(ends: Interval | None) -> str:
    return "" if ends is None else interval(*ends)


def _ends(ends: Interval | None) -> Ends:
    return None if ends is None else (100 * ends[0], 100 * ends[1])
