"""The scores as a table for the terminal, 80 columns wide at most."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from flextune.languages import language_name
from flextune.records import Comparison, Estimate, Score
from flextune.report.formats import interval, p_value, percent, points
from flextune.report.labels import benchmark_title
from flextune.statistics.summary import Setting, setting


def score_table(scores: Sequence[Score], comparisons: Sequence[Comparison]) -> Table:
    """pass@1 with its interval, and the paired test against the baseline.

    Args:
        scores: Estimated scores; arms and settings are shown in the order in which they first come.
        comparisons: Against the baseline; a score without one has empty cells.
    """
    arms = list(dict.fromkeys(score.arm for score in scores))
    settings = list(dict.fromkeys(setting(score) for score in scores))
    tested = {(setting(c), c.arm): c for c in comparisons}
    held = {(setting(score), score.arm): score for score in scores}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    table.add_column("arm", overflow="fold", max_width=18)
    table.add_column("language", overflow="fold", max_width=20)
    table.add_column("pass@1, %", justify="right", no_wrap=True)
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    for where in settings:
        rows = [held[where, arm] for arm in arms if (where, arm) in held]
        for score in rows:
            table.add_row(
                Text(score.arm),
                Text(_where(where, settings)),
                _estimate(score),
                *_test(tested.get((where, score.arm))),
                end_section=score is rows[-1],
            )
    return table


def _where(where: Setting, settings: Sequence[Setting]) -> str:
    """Language and wording; benchmark and decoding only where the run has several."""
    benchmark, language, lexicon, decoding = where
    parts = [
        benchmark_title(benchmark) if len({s[0] for s in settings}) > 1 else "",
        language_name(language),
        lexicon or "",
        decoding if len({s[3] for s in settings}) > 1 else "",
    ]
    return " ".join(part for part in parts if part)


def _estimate(score: Score) -> str:
    found: Estimate | None = next((e for e in score.estimates if e.metric == "pass@1"), None)
    return f"{percent(found.value)} {interval(found.low, found.high)}".rstrip() if found else ""


def _test(comparison: Comparison | None) -> tuple[Text, str]:
    if comparison is None:
        return Text(), ""
    low, high = comparison.low, comparison.high
    style = ""
    if low is not None and high is not None:
        style = "green" if low > 0 else "red" if high < 0 else ""
    shown = f"{points(comparison.difference)} {interval(low, high, signed=True)}".rstrip()
    return Text(shown, style=style), p_value(comparison.p_value)
