"""What an arm's lines look like: an optimizer has one colour in all figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flextune.studies.optimizers.families import family
from flextune.studies.optimizers.groups import Group

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True, slots=True)
class Style:
    """What an arm's lines look like, on whatever data it trains."""

    label: str
    colour: str
    dash: str


def styles(groups: Sequence[Group]) -> dict[str, Style]:
    """A style for each label: the optimizer's colour, and a dash for what is not its first arm."""
    by_label: dict[str, Style] = {}
    used: dict[str, int] = {}
    for arm in (arm for group in groups for arm in group.arms):
        if arm.label not in by_label:
            place = used.get(arm.family, 0)
            used[arm.family] = place + 1
            by_label[arm.label] = Style(arm.label, family(arm.family).colour, DASHES[place % len(DASHES)])
    return by_label
