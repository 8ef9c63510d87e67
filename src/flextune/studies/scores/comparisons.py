"""Paired tests: the named contrasts, and every arm against the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flextune.languages import language_name
from flextune.records import Comparison
from flextune.report import formats
from flextune.report.charts.bars import Segments, draw_opposed_bars
from flextune.report.labels import Labels
from flextune.report.palette import ARM_COLOURS
from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Fragment, Section, asset
from flextune.report.verdict_words import change, mark, verdict_word
from flextune.statistics.decision import direction
from flextune.statistics.tally import setting
from flextune.studies.scores.links import programs_link

#: Comparisons that have bars.
MOST_BARS = 60


def comparisons_section(run: RunData) -> Section | None:
    """The tests in the order of the page; None without any."""
    if not run.comparisons:
        return None
    ordered = sorted(run.comparisons, key=lambda c: (not c.primary, run.labels.sort_key(c), c.baseline))
    return Section(
        id="tests",
        title="Paired tests",
        order=30,
        charts=wins_charts(ordered, run.labels),
        fragment=Fragment(
            asset("flextune.studies.scores", "templates/comparisons.html.j2"),
            {"comparisons": [_row(comparison, run.labels) for comparison in ordered]},
        ),
        style=asset("flextune.studies.scores", "templates/comparisons.css"),
    )


def wins_charts(comparisons: Sequence[Comparison], labels: Labels) -> tuple[Chart, ...]:
    """Problems won and lost, a pair of bars for each comparison; the primary ones alone where they are many.

    Args:
        comparisons: In the order of the page.
        labels: Names of the settings.
    """
    shown = [c for c in comparisons if c.p_value is not None]
    if len(shown) > MOST_BARS:
        shown = [c for c in shown if c.primary][:MOST_BARS]
    if not shown:
        return ()
    places = [f"{c.arm} − {c.baseline}, {labels.name(setting(c)).replace(' · ', ' ')}" for c in shown]
    won = Segments(
        "won", ARM_COLOURS[0], tuple(float(len(c.won)) for c in shown), tuple(f"of {c.count}" for c in shown)
    )
    lost = Segments(
        "lost",
        ARM_COLOURS[1],
        tuple(float(len(c.lost)) for c in shown),
        tuple(f"of {c.count}" for c in shown),
        pattern="/",
    )
    drawn = draw_opposed_bars(
        places, won, lost, x="problems lost | won", hover="%{y}<br>%{text} problems %{customdata}"
    )
    return (Chart("wins", "Problems won and lost by the first arm", drawn),)


def _row(comparison: Comparison, labels: Labels) -> dict[str, Any]:
    where = setting(comparison)
    return {
        "arm": comparison.arm,
        "baseline": comparison.baseline,
        "language": language_name(where[1]),
        "detail": labels.detail(where),
        "difference": formats.points(comparison.difference),
        "interval": formats.interval(comparison.low, comparison.high, signed=True),
        "detectable": formats.percent(comparison.detectable),
        "p": formats.p_value(comparison.p_value),
        "adjusted": formats.p_value(comparison.adjusted_p),
        "verdict": verdict_word(comparison),
        "change": change(comparison),
        "mark": mark(comparison),
        # For whoever hears the names of buttons one after another.
        "of": f"in {comparison.arm} against {comparison.baseline}, {labels.name(where)}",
        "won_link": programs_link(comparison, labels, "won"),
        "lost_link": programs_link(comparison, labels, "lost"),
        "direction": direction(comparison),
        "method": comparison.method,
        "trainings": " / ".join(map(str, comparison.trainings)),
        "won": comparison.won,
        "lost": comparison.lost,
        "count": comparison.count,
        "left_out": comparison.left_out,
        "unknown": comparison.unknown,
    }
