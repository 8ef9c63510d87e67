"""The scores and their comparisons as a table for the terminal, 80 columns wide at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.text import Text

from flextune.languages import language_name
from flextune.records import Comparison, Score
from flextune.report.formats import interval, p_value, percent, points
from flextune.report.labels import benchmark_title, lexicon_words
from flextune.report.tables import Table, Tone, rich_table
from flextune.report.verdict_words import plain, sentence, unknown_note, verdict_word
from flextune.statistics.decision import direction
from flextune.statistics.tally import Setting, setting
from flextune.studies.scores.estimates import pass_at_1

HEADER = ("arm", "pass@1, %", "difference", "p", "verdict")
WIDTHS = {"arm": 20}
DIFFERENCE = HEADER.index("difference")

Row = tuple[tuple[str, ...], Comparison | None]


def score_table(scores: Sequence[Score], comparisons: Sequence[Comparison], *, taught: bool = True) -> Group:
    """pass@1 with its interval, and how each comparison is decided, setting by setting.

    Args:
        scores: Estimated scores; arms and settings are shown in the order in which they first come.
        comparisons: The first with an arm stands in the arm's row, where it is with the baseline; others have
            rows of their own.
        taught: Whether any arm was taught the reserved words.
    """
    settings = list(dict.fromkeys(setting(score) for score in scores))
    against_all = _baseline(comparisons)
    rows: list[tuple[str, ...]] = []
    rules: set[int] = set()
    tones: dict[tuple[int, int], Tone] = {}
    for where in settings:
        tones[len(rows), 0] = "strong"
        # The words that problems are posed in do not fit into the first column.
        words = lexicon_words(where[2], taught=taught)
        rows.append((f"{_where((*where[:2], None, where[3]), settings, taught)}:", words, "", "", ""))
        for cells, comparison in _rows(where, scores, comparisons, against_all):
            if comparison is not None and (tone := _tone(comparison)):
                tones[len(rows), DIFFERENCE] = tone
            rows.append(cells)
        rules.add(len(rows) - 1)
    # Without a comparison three columns would be empty.
    width = len(HEADER) if comparisons else DIFFERENCE
    shown = tuple(row[:width] for row in rows)
    table = Table("", HEADER[:width], shown, align="lrrrl"[:width], rules=frozenset(rules), tones=tones)
    return Group(rich_table(table, WIDTHS), *(Text(line) for line in notes(comparisons)))


def sentences(comparisons: Sequence[Comparison], *, taught: bool = True) -> Iterator[str]:
    """Each comparison in the page's words, after what was compared; ``taught`` as for ``score_table``."""
    settings = list(dict.fromkeys(setting(comparison) for comparison in comparisons))
    for comparison in comparisons:
        where = _where(setting(comparison), settings, taught)
        yield f"{where}, {comparison.arm} − {comparison.baseline}: {plain(sentence(comparison))}"


def notes(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What has to be known to read the verdicts of these comparisons."""
    if any(c.p_value is not None for c in comparisons):
        yield "p is adjusted for the number of comparisons; `certain` needs it below 0.05, `likely` does not."
    if any(not c.primary for c in comparisons):
        yield "(...) is exploratory: not among the contrasts that the experiment names."
    if any(c.subject == "weights" for c in comparisons):
        yield "weights only: fewer than three trainings decide nothing about the method."
    yield from dict.fromkeys(note for note in map(unknown_note, comparisons) if note)


def _baseline(comparisons: Sequence[Comparison]) -> str | None:
    """The arm that most others are compared with."""
    names = [comparison.baseline for comparison in comparisons]
    return max(dict.fromkeys(names), key=names.count, default=None)


def _rows(
    where: Setting, scores: Sequence[Score], comparisons: Sequence[Comparison], baseline: str | None
) -> Iterator[Row]:
    """Each arm with its comparison with the baseline, then all other comparisons of the setting."""
    here = [comparison for comparison in comparisons if setting(comparison) == where]
    by_arm = {comparison.arm: comparison for comparison in here if comparison.baseline == baseline}
    for score in scores:
        if setting(score) == where:
            comparison = by_arm.get(score.arm)
            yield (score.arm, _estimate(score), *_test(comparison)), comparison
    for comparison in here:
        if comparison.baseline != baseline:
            name = f"{comparison.arm} − {comparison.baseline}"
            yield (name, "", *_test(comparison)), comparison


def _where(where: Setting, settings: Sequence[Setting], taught: bool) -> str:
    """Language and wording; benchmark and decoding only where the run has several."""
    benchmark, language, lexicon, decoding = where
    parts = [
        benchmark_title(benchmark) if len({s[0] for s in settings}) > 1 else "",
        language_name(language),
        lexicon_words(lexicon, taught=taught),
        decoding if len({s[3] for s in settings}) > 1 else "",
    ]
    return " ".join(part for part in parts if part)


def _estimate(score: Score) -> str:
    estimate = pass_at_1(score)
    if estimate is None:
        return ""
    return f"{percent(estimate.value)} {interval(estimate.low, estimate.high)}".rstrip()


def _test(comparison: Comparison | None) -> tuple[str, str, str]:
    if comparison is None:
        return "", "", ""
    span = interval(comparison.low, comparison.high, signed=True)
    difference = f"{points(comparison.difference)} {span}".rstrip()
    return difference, p_value(comparison.adjusted_p), verdict_word(comparison)


def _tone(comparison: Comparison) -> Tone | None:
    tones: dict[str, Tone] = {"rises": "good", "falls": "bad"}
    return tones.get(direction(comparison))
