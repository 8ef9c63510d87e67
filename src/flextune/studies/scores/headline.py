"""What a page says first: what was to be tested, or else what every arm did, in a sentence or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flextune.records import Comparison
from flextune.report.formats import count
from flextune.report.labels import Labels
from flextune.report.verdict_words import NBSP, change, sentence
from flextune.statistics.decision import Direction, direction
from flextune.statistics.tally import setting

#: More arms than this are counted, not named one by one.
MOST_ARMS = 4
#: As many comparisons that the experiment names are told one by one.
MOST_TESTED = 6
#: Settings that a sentence names for one direction.
MOST_NAMED = 3
#: Words for a direction.
VERBS: dict[Direction, str] = {"rises": "better", "falls": "worse"}

Line = tuple[str, str]


def headline(
    comparisons: Sequence[Comparison], labels: Labels, copied: Mapping[str, str]
) -> tuple[Line, ...]:
    """A line for each comparison that the experiment names; else for each arm, or one for many arms.

    Args:
        comparisons: Of the run. Arms are told by those with the baseline.
        labels: Names and order.
        copied: Arms that are left out, since they answer as another one.
    """
    tested = [c for c in comparisons if c.primary]
    if len(tested) < len(comparisons) and 0 < len(tested) <= MOST_TESTED:
        return _of_contrasts(tested, len(comparisons) - len(tested), labels)
    against = [c for c in comparisons if c.baseline == labels.baseline and c.arm not in copied]
    against.sort(key=labels.sort_key)
    arms = [arm for arm in labels.arms if any(c.arm == arm for c in against)]
    if not arms:
        return ()
    if len(arms) > MOST_ARMS:
        return (_counted(against, arms, labels),)
    return tuple((f"{arm}:", _of_arm([c for c in against if c.arm == arm], labels)) for arm in arms)


def _of_contrasts(tested: Sequence[Comparison], others: int, labels: Labels) -> tuple[Line, ...]:
    """What was to be tested, and how much else was compared."""
    ordered = sorted(tested, key=labels.sort_key)
    lines = [(f"{_name(c, labels)}, {c.arm} − {c.baseline}:", f"{sentence(c)}.") for c in ordered]
    return (*lines, ("Beside these:", f"{count(others, 'exploratory comparison')}."))


def _of_arm(comparisons: Sequence[Comparison], labels: Labels) -> str:
    parts = [
        f"{VERBS[way]} in {_named([c for c in comparisons if direction(c) == way], labels)}"
        for way in VERBS
        if any(direction(c) == way for c in comparisons)
    ]
    return _sentence([*parts, *_rest(comparisons)])


def _counted(comparisons: Sequence[Comparison], arms: Sequence[str], labels: Labels) -> Line:
    decided = {way: [c for c in comparisons if direction(c) == way] for way in VERBS}
    parts = [f"{VERBS[way]} in {len(found)}" for way, found in decided.items() if found]
    for way, found in decided.items():
        if found:
            most = max(found, key=lambda c: abs(c.difference))
            what = "gain" if way == "rises" else "loss"
            parts.append(f"the largest {what} is {most.arm} in {_place(most, labels)}")
    lead = f"{count(len(arms), 'arm')}, {count(len(comparisons), 'comparison')} with {labels.baseline}:"
    return lead, _sentence([*parts, *_rest(comparisons)])


def _rest(comparisons: Sequence[Comparison]) -> list[str]:
    """How many settings were not decided either way, by their word."""
    words = [c.verdict for c in comparisons if direction(c) == "none"]
    if len(words) == len(comparisons):
        return [f"{word} in {words.count(word)}" for word in dict.fromkeys(words)]
    return [f"{word} in {count(words.count(word), 'other')}" for word in dict.fromkeys(words)]


def _named(comparisons: Sequence[Comparison], labels: Labels) -> str:
    """The largest differences by name, the number of all others."""
    ordered = sorted(comparisons, key=lambda c: -abs(c.difference))
    names = [_place(c, labels) for c in ordered[:MOST_NAMED]]
    others = len(ordered) - len(names)
    return ", ".join(names) + (f" and {others} more" if others else "")


def _place(comparison: Comparison, labels: Labels) -> str:
    return f"{_name(comparison, labels)} ({change(comparison)}{NBSP}%, {comparison.verdict})"


def _name(comparison: Comparison, labels: Labels) -> str:
    return labels.name(setting(comparison)).replace(" · ", " ")


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
