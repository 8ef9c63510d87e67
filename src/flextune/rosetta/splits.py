"""Who may see which problem: pretraining, fine-tuning or evaluation, as fixed in splits.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from flextune.errors import FlextuneError
from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import parse

Split = Literal["pretraining", "fine-tuning", "evaluation"]
SPLITS: tuple[Split, ...] = get_args(Split)

#: Written by ``flextune.rosetta.building``; comparing all behaviours takes too long to do at every start.
FILE = Path(__file__).with_name("splits.json")


@dataclass(frozen=True, slots=True)
class Exercise:
    """A problem of the evaluation set with the inputs of its tests."""

    composition: Composition
    inputs: tuple[Any, ...]


def known_split(split: str) -> Split:
    """The split of that name.

    Raises:
        FlextuneError: If there is none.
    """
    for known in SPLITS:
        if split == known:
            return known
    raise FlextuneError(f"rosetta: unknown split {split!r} (known: {', '.join(SPLITS)})")


@cache
def compositions(split: Split, steps: int | None = None) -> tuple[Composition, ...]:
    """All problems of a split, by name; of ``steps`` steps where that is given.

    The evaluation split is larger than the evaluation set: it is everything that training must not see.
    """
    names = _content()["held-out" if split == "evaluation" else split]
    programs = (parse(name) for name in names if steps is None or name.count("__") == steps - 1)
    return tuple(programs)


@cache
def evaluation_set() -> tuple[Exercise, ...]:
    """The problems that are evaluated, in their fixed order; the first n are the set of size n."""
    return tuple(Exercise(parse(entry["name"]), tuple(entry["inputs"])) for entry in _content()["evaluation"])


@cache
def _content() -> dict[str, list[Any]]:
    content: dict[str, list[Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return content
