"""Transfer and retention: what every arm changed in every language, in old words and in taught ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flextune.languages import language_name
from flextune.records import Comparison
from flextune.report.charts.heat import Tile, draw_heat
from flextune.report.formats import UNDEFINED, interval, points
from flextune.report.run_data import RunData
from flextune.report.sections import Chart
from flextune.report.tables import Table
from flextune.report.verdict_words import brief, mark, measured, plain
from flextune.statistics.summary import compare
from flextune.statistics.tally import Setting, setting
from flextune.studies.transfer.plane import RESERVED, trained_languages

NOTE = (
    "Points of pass@1 against the baseline, with 95 % intervals and verdicts as in the paired tests; ▲ ▼"
    " certain, △ ▽ likely, = same, · undecided."
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Arms by settings.

    Attributes:
        id: ``retention`` or ``transfer``.
        title: What it shows.
        settings: Of the columns.
        rows: Arms, with the languages that they were trained in, and a comparison with the baseline for each
            setting; None where there is none.
    """

    id: str
    title: str
    settings: tuple[Setting, ...]
    rows: tuple[tuple[str, str, tuple[Comparison | None, ...]], ...]


def matrices(run: RunData) -> list[Matrix]:
    """Retention, and transfer where taught words were posed."""
    taught = [where for where in run.labels.settings if where[2] == RESERVED]
    old = [where for where in run.labels.settings if where[2] != RESERVED]
    words = run.labels.wording(taught[0]) if taught else ""
    found = [
        _matrix("retention", "Retention, old words" if taught else "Retention", old, run),
        _matrix("transfer", f"Transfer, {words}", taught, run),
    ]
    return [matrix for matrix in found if matrix.rows and matrix.settings]


def _matrix(name: str, title: str, settings: Sequence[Setting], run: RunData) -> Matrix:
    known = {(setting(row), row.arm): row for row in run.comparisons if row.baseline == run.baseline}
    scores = {(setting(score), score.arm): score for score in run.scores}
    languages = trained_languages(run)

    def cell(where: Setting, arm: str) -> Comparison | None:
        score, base = scores.get((where, arm)), scores.get((where, run.baseline))
        if score is None or base is None:
            return None
        return known.get((where, arm)) or compare(score, base)

    rows = []
    for arm in run.labels.arms:
        cells = tuple(cell(where, arm) for where in settings)
        if arm != run.baseline and any(cells):
            trained = ", ".join(map(language_name, languages.get(arm, ())))
            rows.append((arm, trained, cells))
    return Matrix(name, title, tuple(settings), tuple(rows))


def matrix_table(matrix: Matrix, run: RunData) -> Table:
    """A row for each arm."""
    rows = [(arm, trained, *map(_cell, cells)) for arm, trained, cells in matrix.rows]
    header = ("arm", "trained in", *(_column(where, matrix, run) for where in matrix.settings))
    return Table(matrix.title, header, tuple(rows), NOTE, align="lq" + "r" * len(matrix.settings))


def _cell(comparison: Comparison | None) -> str:
    if comparison is None or comparison.p_value is None:
        return UNDEFINED
    span = interval(comparison.low, comparison.high, signed=True)
    return f"{points(comparison.difference)} {span} {mark(comparison)}".replace("  ", " ")


def matrix_chart(matrix: Matrix, run: RunData) -> Chart:
    """The same as colours."""
    tiles = [[_tile(comparison) for comparison in cells] for _, _, cells in matrix.rows]
    drawn = draw_heat(
        [f"{arm} ({trained})" if trained else arm for arm, trained, _ in matrix.rows],
        [_column(where, matrix, run) for where in matrix.settings],
        tiles,
        scale="points against the baseline",
        around_zero=True,
    )
    return Chart(matrix.id, f"{matrix.title}: change against {run.baseline}", drawn)


def _tile(comparison: Comparison | None) -> Tile:
    if comparison is None or comparison.p_value is None:
        return Tile(None)
    text = f"{points(comparison.difference)} {mark(comparison)}"
    return Tile(100 * comparison.difference, text, plain(f"{measured(comparison)}: {brief(comparison)}"))


def _column(where: Setting, matrix: Matrix, run: RunData) -> str:
    """The language alone where that says enough."""
    languages = [other[1] for other in matrix.settings]
    if languages.count(where[1]) == 1:
        return language_name(where[1])
    return run.labels.name(where)
