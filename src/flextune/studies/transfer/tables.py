"""The plane and the comparison at equal learning, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flextune.report.formats import UNDEFINED, count, interval, p_value, percent, points
from flextune.report.run_data import RunData
from flextune.report.tables import Table
from flextune.statistics.resampling import Resampled
from flextune.studies.transfer.equal_learning import EqualLearning, Level
from flextune.studies.transfer.families import Family, value_text
from flextune.studies.transfer.plane import Plane, Point, Side, place_words

CANNOT = "cannot be told"


def plane_table(plane: Plane, run: RunData) -> Table:
    """A row for each arm: learned and kept, with the change against the baseline."""
    rows = [
        (
            point.arm,
            _families(plane, point),
            _rate(point.learned),
            _change(point.learned),
            _rate(point.kept),
            _change(point.kept),
        )
        for point in plane.points
    ]
    left_out = (
        f" {count(plane.left_out, 'problem')} without a known outcome in some arm"
        f" {'is' if plane.left_out == 1 else 'are'} left out."
        if plane.left_out
        else ""
    )
    several = " (the mean over them, each counted alike)" if len(plane.kept) > 1 else ""
    note = (
        f"pass@1 in per cent. Learned: {place_words(run, plane.learned)}. Kept:"
        f" {place_words(run, plane.kept)}{several}. Change: points against {plane.baseline}. 95 % intervals"
        f" over problems, and over seeds from three on.{left_out}"
    )
    header = ("arm", "family", "learned", "change", "kept", "change")
    return Table("What each arm learned and kept", header, tuple(rows), note, align="lqrrrr")


def _families(plane: Plane, point: Point) -> str:
    """``fourier 0.005``; an arm may begin several families."""
    named = [
        f"{family.name} {value_text(family, point.arm)}"
        for family in plane.families
        if family.key and point.arm in family.arms
    ]
    return "; ".join(named) or UNDEFINED


def _rate(side: Side) -> str:
    span = interval(*side.ends) if side.ends is not None else ""
    return f"{percent(side.value)} {span}".rstrip()


def _change(side: Side) -> str:
    if side.change is None:
        return UNDEFINED
    span = interval(*side.change_ends, signed=True) if side.change_ends is not None else ""
    return f"{points(side.change)} {span}".rstrip()


def equal_table(compared: Sequence[EqualLearning]) -> Table:
    """A row for each family and level, and one for the mean of a family's levels."""
    rows: list[tuple[str, ...]] = []
    rules: set[int] = set()
    for each in compared:
        rows += [_level_row(each, level) for level in each.levels]
        if len(each.told) > 1 and each.difference is not None:
            rows.append(
                (
                    each.other.name,
                    f"mean of {len(each.told)}",
                    "",
                    "",
                    _difference(each.difference),
                    p_value(each.adjusted_p),
                    verdict_words(each),
                )
            )
        rules.add(len(rows) - 1)
    reference = compared[0].reference.name
    note = (
        "What a family keeps on the straight lines between its arms, at the learning of each arm of"
        f" {reference}; where none of these can be told, at the learning of the family's own arms. Intervals:"
        " seeds and problems are drawn again, the same for all arms, and the lines go through every draw. p"
        " is adjusted for the number of families; single levels are not. A level that a line does not reach,"
        " or not in 19 of 20 draws, cannot be told."
    )
    header = ("family", "at the learning of", reference, "the family", "difference", "p", "verdict")
    return Table("Kept at equal learning", header, tuple(rows), note, align="llrrrrl", rules=frozenset(rules))


def _level_row(each: EqualLearning, level: Level) -> tuple[str, ...]:
    alone = len(each.told) == 1 and level.difference is not None
    return (
        each.other.name,
        f"{level.arm} ({percent(level.learned)} %)",
        percent(level.reference),
        percent(level.other),
        CANNOT if level.difference is None else _difference(level.difference),
        p_value(each.adjusted_p) if alone else "",
        verdict_words(each) if alone else "",
    )


def _difference(found: Resampled) -> str:
    return f"{points(found.value)} {interval(found.low, found.high, signed=True)}"


def verdict_words(each: EqualLearning) -> str:
    """The verdict in a cell."""
    if each.difference is None:
        return CANNOT
    return "weights only" if each.difference.subject == "weights" else str(each.verdict)


def sentences(plane: Plane, compared: Sequence[EqualLearning], run: RunData, margin: float) -> Iterator[str]:
    """What was found: each family at equal learning, then each arm against the baseline."""
    where = place_words(run, plane.kept)
    for each in compared:
        yield _equal_sentence(each, where, margin)
    learned = place_words(run, plane.learned)
    for point in plane.trained:
        yield (
            f"{point.arm} against {plane.baseline}: {_change(point.learned)} points in {learned};"
            f" {_change(point.kept)} points in {where}."
        )


def _equal_sentence(each: EqualLearning, where: str, margin: float) -> str:
    ours, theirs = each.reference, each.other
    found = each.difference
    if found is None:
        return f"{ours.name} and {theirs.name} at equal learning: {CANNOT}; {_reaches(each)}{_narrow(each)}."
    levels = [level.learned for level in each.told]
    at = f"at {percent(levels[0])} % learned"
    if len(levels) > 1:
        at = f"mean over {len(levels)} levels from {percent(min(levels))} to {percent(max(levels))} % learned"
    word = {
        "likely": "likely",
        "same": f"same within {100 * margin:g} points",
    }.get(each.verdict, "undecided")
    if found.subject == "weights":
        word = "for these weights only, since a verdict about the method takes three seeds"
    return (
        f"At equal learning {ours.name} keeps {points(found.value)} points"
        f" {interval(found.low, found.high, signed=True)} against {theirs.name} in {where} ({at}): {word},"
        f" adjusted p {p_value(each.adjusted_p)}."
    )


def _reaches(each: EqualLearning) -> str:
    return f"{_reach(each.reference, each.reference_reach)} and {_reach(each.other, each.reach)}"


def _reach(family: Family, reach: tuple[float, float]) -> str:
    low, high = map(percent, reach)
    return f"{family.name} learns {low} %" if low == high else f"{family.name} learns {low} to {high} %"


def _narrow(each: EqualLearning) -> str:
    """Why, where the lines do meet."""
    reached = any(level.reference == level.reference and level.other == level.other for level in each.levels)
    return ", and no level lies on both lines in 19 of 20 draws" if reached else ""
