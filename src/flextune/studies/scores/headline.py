"""What a page says first: what every arm did, in a sentence or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flextune.records import Comparison
from flextune.report.formats import count
from flextune.report.labels import Labels
from flextune.report.verdict_words import change, plain
from flextune.statistics.decision import Direction, direction
from flextune.statistics.tally import setting

#: More arms than this are counted, not named one by one.
MOST_ARMS = 4
#: Settings that a sentence names for one direction.
MOST_NAMED = 3
#: Words for a direction.
VERBS: dict[Direction, str] = {"rises": "better", "falls": "worse"}

Line = tuple[str, str]


def headline(
    comparisons: Sequence[Comparison], labels: Labels, copied: Mapping[str, str]
) -> tuple[Line, ...]:
    """A line for each arm, or where there are many for all of them.

    Args:
        comparisons: Those with the baseline count; named contrasts are in the findings.
        labels: Names and order.
        copied: Arms that are left out, since they answer as another one.
    """
    against = [c for c in comparisons if c.baseline == labels.baseline and c.arm not in copied]
    against.sort(key=labels.sort_key)
    arms = [arm for arm in labels.arms if any(c.arm == arm for c in against)]
    if not arms:
        return ()
    if len(arms) > MOST_ARMS:
        return (_counted(against, arms, labels),)
    return tuple((f"{arm}:", _of_arm([c for c in against if c.arm == arm], labels)) for arm in arms)


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
    name = labels.name(setting(comparison)).replace(" · ", " ")
    return f"{name} ({plain(change(comparison))} %, {comparison.verdict})"


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
