"""The scores as a table for the terminal, 80 columns wide at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table as RichTable

from flextune.languages import language_name
from flextune.records import Comparison, Score
from flextune.report.formats import interval, p_value, percent, points
from flextune.report.labels import benchmark_title
from flextune.report.tables import Table, Tone, rich_table
from flextune.statistics.summary import Setting, setting
from flextune.studies.scores.estimates import pass_at_1

HEADER = ("arm", "language", "pass@1, %", "difference", "p")
WIDTHS = {"arm": 18, "language": 20}
DIFFERENCE = HEADER.index("difference")


def score_table(scores: Sequence[Score], comparisons: Sequence[Comparison]) -> RichTable:
    """pass@1 with its interval, and the paired test against the baseline.

    Args:
        scores: Estimated scores; arms and settings are shown in the order in which they first come.
        comparisons: Against the baseline; a score without one has empty cells.
    """
    settings = list(dict.fromkeys(setting(score) for score in scores))
    tests = {(setting(c), c.arm): c for c in comparisons}
    ordered = list(_by_setting(scores, settings))
    rows, rules, tones = [], set(), {}
    for number, score in enumerate(ordered):
        where = setting(score)
        test = tests.get((where, score.arm))
        rows.append((score.arm, _where(where, settings), _estimate(score), *_test(test)))
        if number + 1 == len(ordered) or setting(ordered[number + 1]) != where:
            rules.add(number)
        if tone := _tone(test):
            tones[number, DIFFERENCE] = tone
    table = Table("", HEADER, tuple(rows), align="llrrr", rules=frozenset(rules), tones=tones)
    return rich_table(table, WIDTHS)


def _by_setting(scores: Sequence[Score], settings: Sequence[Setting]) -> Iterator[Score]:
    arms = list(dict.fromkeys(score.arm for score in scores))
    by_place = {(setting(score), score.arm): score for score in scores}
    for where in settings:
        yield from (by_place[where, arm] for arm in arms if (where, arm) in by_place)


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
    estimate = pass_at_1(score)
    if estimate is None:
        return ""
    return f"{percent(estimate.value)} {interval(estimate.low, estimate.high)}".rstrip()


def _test(comparison: Comparison | None) -> tuple[str, str]:
    if comparison is None:
        return "", ""
    span = interval(comparison.low, comparison.high, signed=True)
    return f"{points(comparison.difference)} {span}".rstrip(), p_value(comparison.p_value)


def _tone(comparison: Comparison | None) -> Tone | None:
    if comparison is None or comparison.low is None or comparison.high is None:
        return None
    if comparison.low > 0:
        return "good"
    return "bad" if comparison.high < 0 else None
