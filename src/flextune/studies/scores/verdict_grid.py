"""Languages down, arms across: from which score to which, and whether that is certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flextune.languages import language_name
from flextune.records import Comparison, Score
from flextune.report.formats import UNDEFINED, interval, percent, points
from flextune.report.labels import Labels
from flextune.report.verdict_words import brief, change, mark
from flextune.statistics.decision import Direction, direction
from flextune.statistics.tally import setting
from flextune.studies.scores.estimates import pass_at_1
from flextune.studies.scores.links import programs_link


@dataclass(frozen=True, slots=True)
class Cell:
    """One comparison.

    Attributes:
        change: ``55.0 → 21.7``.
        difference: In points, with its interval.
        verdict: In a word or two.
        mark: The same as a sign.
        direction: Which way it was decided.
        certain: Whether it is.
        link: To its programs; empty where nothing changed.
    """

    change: str
    difference: str
    verdict: str
    mark: str
    direction: Direction
    certain: bool
    link: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of comparisons.

    Attributes:
        title: What is compared.
        columns: Heads: an arm, or two of them.
        rows: Language, what tells it from others of its language, the fixed score, and the cells.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[Cell | None, ...]], ...]


def grids(
    scores: Sequence[Score], comparisons: Sequence[Comparison], labels: Labels, copied: Mapping[str, str]
) -> list[Grid]:
    """Every arm with the baseline, and then the contrasts between other arms.

    Args:
        scores: Have the baseline's own scores.
        comparisons: One a cell.
        labels: Names and order.
        copied: Arms that share the column of the arm that they copy.
    """
    pairs = [(c.arm, c.baseline) for c in sorted(comparisons, key=labels.sort_key)]
    known = [pair for pair in dict.fromkeys(pairs) if pair[0] not in copied]
    known.sort(key=lambda pair: (labels.arms.index(pair[0]) if pair[0] in labels.arms else 0, pair[1]))
    heads = {arm: " = ".join([arm, *(name for name, of in copied.items() if of == arm)]) for arm, _ in known}
    against = [pair for pair in known if pair[1] == labels.baseline]
    others = [pair for pair in known if pair[1] != labels.baseline]
    made = []
    if against or not others:
        columns = tuple(heads[arm] for arm, _ in against)
        title = f"pass@1 in percent: {labels.baseline} → each arm"
        made.append(Grid(title, columns, _rows(against, scores, comparisons, labels)))
    if others:
        columns = tuple(f"{arm} against {baseline}" for arm, baseline in others)
        made.append(Grid("Between other arms", columns, _rows(others, (), comparisons, labels)))
    return made


def _rows(
    pairs: Sequence[tuple[str, str]],
    scores: Sequence[Score],
    comparisons: Sequence[Comparison],
    labels: Labels,
) -> tuple[tuple[str, str, str, tuple[Cell | None, ...]], ...]:
    by_place = {(setting(c), c.arm, c.baseline): c for c in comparisons}
    fixed = {setting(score): pass_at_1(score) for score in scores if score.arm == labels.baseline}
    rows = []
    for where in labels.settings:
        found = [by_place.get((where, *pair)) for pair in pairs]
        own = fixed.get(where)
        score = f"{percent(own.value)} {interval(own.low, own.high)}".strip() if own else ""
        if score or any(found):
            cells = tuple(_cell(comparison, labels) for comparison in found)
            rows.append((language_name(where[1]), labels.detail(where), score, cells))
    return tuple(rows)


def _cell(comparison: Comparison | None, labels: Labels) -> Cell | None:
    if comparison is None:
        return None
    compared = comparison.p_value is not None
    span = interval(comparison.low, comparison.high, signed=True)
    return Cell(
        change=change(comparison) if compared else UNDEFINED,
        difference=f"{points(comparison.difference)} {span}".strip() if compared else "",
        verdict=brief(comparison),
        mark=mark(comparison),
        direction=direction(comparison),
        certain=comparison.verdict == "certain",
        link=programs_link(comparison, labels, "changed") if comparison.won or comparison.lost else "",
    )
