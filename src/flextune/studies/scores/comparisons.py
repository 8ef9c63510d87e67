"""Paired tests of every arm against the baseline."""

from __future__ import annotations

from typing import Any

from flextune.languages import language_name
from flextune.records import Comparison
from flextune.report import formats
from flextune.report.labels import Labels
from flextune.report.run_data import RunData
from flextune.report.sections import Fragment, Section, asset
from flextune.statistics.summary import setting
from flextune.studies.scores.findings import adjusted, direction


def comparisons_section(run: RunData) -> Section | None:
    """The tests in the order of the page; None without any."""
    if not run.comparisons:
        return None
    tested = zip(run.comparisons, adjusted(run.comparisons), strict=True)
    ordered = sorted(tested, key=lambda test: run.labels.sort_key(test[0]))
    rows = [_row(comparison, p, run.labels) for comparison, p in ordered]
    return Section(
        id="tests",
        title=f"Paired tests against {run.baseline}",
        name="Paired tests",
        order=30,
        fragment=Fragment(
            asset("flextune.studies.scores", "templates/comparisons.html.j2"), {"comparisons": rows}
        ),
        style=asset("flextune.studies.scores", "templates/comparisons.css"),
    )


def _row(comparison: Comparison, adjusted_p: float | None, labels: Labels) -> dict[str, Any]:
    where = setting(comparison)
    return {
        "arm": comparison.arm,
        "language": language_name(where[1]),
        "detail": labels.detail(where),
        "difference": formats.points(comparison.difference),
        "interval": formats.interval(comparison.low, comparison.high, signed=True),
        "p": formats.p_value(comparison.p_value),
        "adjusted": formats.p_value(adjusted_p),
        "direction": direction(comparison, adjusted_p),
        "method": comparison.method,
        "won": comparison.won,
        "lost": comparison.lost,
        "count": comparison.count,
        "left_out": comparison.left_out,
    }
