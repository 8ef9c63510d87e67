"""What a comparison's verdict reads like; the page, the terminal and ``compare`` say it in these words."""

from __future__ import annotations

from flextune.records import Comparison
from flextune.report.formats import count, interval, p_value, percent, points
from flextune.statistics.components import TRAININGS_FOR_A_METHOD
from flextune.statistics.decision import direction

NBSP = "\u00a0"

#: What each word promises, for whoever reads it the first time.
LEGEND = (
    "certain: a difference that was to be tested, with p below 0.05 after adjustment for the number of "
    "comparisons and 0 outside the interval",
    "likely: the same without adjustment, or found while exploring",
    "same: the whole interval lies within the margin",
    "undecided: neither; a difference of the size that is named is shown by four of five such experiments",
)


def verdict_word(comparison: Comparison) -> str:
    """One or two words for a narrow column; in brackets where the comparison is exploratory."""
    word = "weights only" if _weights(comparison) else str(comparison.verdict)
    return word if comparison.primary else f"({word})"


def mark(comparison: Comparison) -> str:
    """One sign for the verdict; full ones are certain."""
    certain = comparison.verdict == "certain"
    way = direction(comparison)
    if way == "rises":
        return "▲" if certain else "△"
    if way == "falls":
        return "▼" if certain else "▽"
    return "=" if comparison.verdict == "same" else "·"


def change(comparison: Comparison) -> str:
    """``55.0 → 21.7``: the scores on the problems compared, in percent."""
    return f"{percent(comparison.baseline_rate)}{NBSP}→{NBSP}{percent(comparison.rate)}"


def brief(comparison: Comparison) -> str:
    """The verdict in a cell of a table; what is undecided has the smallest difference that it could show."""
    word = verdict_word(comparison)
    if comparison.verdict != "undecided" or comparison.detectable is None:
        return word
    return f"{word}, ±{100 * comparison.detectable:.1f}"


def sentence(comparison: Comparison) -> str:
    """The verdict, the scores, the difference with its interval, and what the verdict rests on."""
    words = _sentence(comparison)
    return words if comparison.primary else f"{words} (exploratory)"


def measured(comparison: Comparison) -> str:
    """``30.0 → 7.5 % (−22.5 points [−38.3, −6.8])``: what was found, whatever it means."""
    c = comparison
    span = interval(c.low, c.high, signed=True).replace(" ", NBSP)
    return f"{change(c)}{NBSP}% ({points(c.difference)}{NBSP}points{NBSP + span if span else ''})"


def tested(comparison: Comparison) -> str:
    """``p = 0.040``, adjusted for the number of comparisons."""
    shown = p_value(comparison.adjusted_p)
    relation = f"<{NBSP}{shown[1:]}" if shown.startswith("<") else f"={NBSP}{shown}"
    return f"p{NBSP}{relation}"


def resolution(comparison: Comparison) -> str:
    """The smallest difference that the comparison could have shown."""
    if comparison.detectable is None:
        return "no difference could have been shown"
    return f"about ±{100 * comparison.detectable:.1f}{NBSP}points would have been shown"


def plain(words: str) -> str:
    """The same with ordinary spaces."""
    return words.replace(NBSP, " ")


def _sentence(comparison: Comparison) -> str:
    c = comparison
    if c.p_value is None:
        return _not_compared(c)
    if _weights(c):
        return (
            f"{measured(c)}, {tested(c)}, for these weights only: {_few_trainings(c)}, and a verdict about "
            f"the method takes {TRAININGS_FOR_A_METHOD}"
        )
    if c.verdict in ("certain", "likely"):
        return f"{direction(c)}, {c.verdict}: {measured(c)}, {tested(c)}"
    if c.verdict == "same":
        return f"same within {100 * c.margin:g}{NBSP}points: {measured(c)}"
    return f"undecided: {measured(c)}, {tested(c)}; {resolution(c)}"


def _weights(comparison: Comparison) -> bool:
    return comparison.subject == "weights" and comparison.p_value is not None


def _few_trainings(comparison: Comparison) -> str:
    """``1 training of lora``, of whichever arm has too few."""
    sides = zip((comparison.arm, comparison.baseline), comparison.trainings, strict=True)
    few = [f"{count(n, 'training')} of {arm}" for arm, n in sides if 0 < n < TRAININGS_FOR_A_METHOD]
    return " and ".join(few)


def _not_compared(comparison: Comparison) -> str:
    c = comparison
    if not c.count:
        return "not compared: no problem has a known outcome in both"
    return (
        f"not compared: {count(c.unknown_alone[0], 'problem')} with an unknown outcome in {c.arm} alone and "
        f"{c.unknown_alone[1]} in {c.baseline} alone, beside {c.count} known to both; judge them again"
    )


def unknown_note(comparison: Comparison) -> str:
    """How many verdicts are unknown on each side; empty where none is."""
    first, second = comparison.unknown
    if not first and not second:
        return ""
    return f"unknown verdicts: {first} in {comparison.arm}, {second} in {comparison.baseline}"
