"""How splits.json is made: which programs are problems, and who may see which of them.

``python -m flextune.rosetta.building`` writes the file again; a test holds that it comes out the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from flextune.rosetta.behaviour import signatures, sound
from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import Skeleton, pairs, singles, skeleton
from flextune.rosetta.operations import KINDS, Kind
from flextune.rosetta.splits import FILE, Split
from flextune.rosetta.testing import choose

#: One of the few below 60 by which every operation gets a place in fine-tuning.
SEED = 17

#: Shares of the skeletons by kind of result: held out for evaluation, and for fine-tuning. Rare kinds need
#: larger ones for the evaluation set to ask for all kinds alike, and for all words to be taught.
HELD_OUT: Mapping[Kind, float] = {"int": 0.13, "ints": 0.11, "text": 0.25, "words": 0.32, "counts": 0.32}
FINE_TUNING: Mapping[Kind, float] = {"int": 0.15, "ints": 0.13, "text": 0.25, "words": 0.3, "counts": 0.3}

#: Problems kept of one skeleton (they differ in constants alone), and those used of it in evaluation.
PER_SKELETON, PER_SKELETON_IN_EVALUATION = 8, 2

#: Problems of three steps per split, and problems in the evaluation set.
THREE_STEPS: Mapping[Split, int] = {"pretraining": 2000, "fine-tuning": 400}
EVALUATION = 320


class _Groups:
    """Union-find over skeletons that share a behaviour."""

    def __init__(self) -> None:
        self._parent: dict[Any, Any] = {}

    def find(self, item: Any) -> Any:
        self._parent.setdefault(item, item)
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, one: Any, other: Any) -> None:
        self._parent[self.find(one)] = self.find(other)


def build() -> dict[str, Any]:
    """The content of splits.json, from nothing but the operations and the seed.

    Two skeletons of which any two programs agree on any block of inputs go to the same split, so no
    behaviour is on two sides; nor is a skeleton, whatever its constants.
    """
    taken = {mark for program in singles() for mark in signatures(program.steps, program.takes)}
    taken |= {mark for kind in KINDS for mark in signatures((), kind)}
    problems = _two_steps(taken)
    splits = _assign(problems)
    kept: dict[Split, list[Composition]] = {"pretraining": [], "fine-tuning": [], "evaluation": []}
    for shape, group in _by_skeleton(problems).items():
        kept[splits[shape]] += sorted(group, key=_hashed)[:PER_SKELETON]
    for program in problems:
        taken.update(signatures(program.steps, program.takes))
    for split, count in THREE_STEPS.items():
        kept[split] += _three_steps(kept[split], count, taken)
    return {
        "pretraining": sorted(program.name for program in kept["pretraining"]),
        "fine-tuning": sorted(program.name for program in kept["fine-tuning"]),
        "held-out": sorted(program.name for program in kept["evaluation"]),
        "evaluation": [
            {"name": program.name, "inputs": list(choose(program))} for program in _evaluation_set(kept)
        ],
    }


def _two_steps(taken: set[str]) -> list[Composition]:
    """All sound programs of two steps that do not behave like one step, or like none."""
    return [
        program
        for program in pairs()
        if _distinct(program)
        and sound(program)
        and taken.isdisjoint(signatures(program.steps, program.takes))
    ]


def _distinct(program: Composition) -> bool:
    """Whether no step comes twice; doing the same thing again makes a dull task."""
    return len(set(program.steps)) == len(program.steps)


def _assign(problems: Iterable[Composition]) -> dict[Skeleton, Split]:
    """A split for every skeleton, equal for skeletons that share a behaviour."""
    groups = _Groups()
    kinds: dict[Skeleton, Kind] = {}
    for program in problems:
        kinds[skeleton(program)] = program.gives
        for mark in signatures(program.steps, program.takes):
            groups.join(mark, skeleton(program))
    members = defaultdict(list)
    for shape in kinds:
        members[groups.find(shape)].append(shape)
    splits: dict[Skeleton, Split] = {}
    for group in members.values():
        position = _hashed(min(group)) / 2**64
        kind = kinds[group[0]]
        split: Split = "pretraining"
        if position < HELD_OUT[kind] + FINE_TUNING[kind]:
            split = "evaluation" if position < HELD_OUT[kind] else "fine-tuning"
        splits.update(dict.fromkeys(group, split))
    return splits


def _three_steps(two_steps: Iterable[Composition], count: int, taken: set[str]) -> list[Composition]:
    """Sound programs of three steps both of whose pairs are given; their behaviours are new.

    Pairs of another split can then not come in as a part of a longer program.
    """
    ordered = sorted(two_steps, key=_hashed)
    starting = defaultdict(list)
    for program in ordered:
        starting[program.steps[0]].append(program)
    rng = np.random.default_rng((SEED, count))
    found: dict[str, Composition] = {}
    while len(found) < count:
        first = ordered[int(rng.integers(len(ordered)))]
        following = starting[first.steps[1]]
        if not following:
            continue
        second = following[int(rng.integers(len(following)))]
        program = Composition((*first.steps, second.steps[1]))
        if program.name in found or not _distinct(program) or not sound(program):
            continue
        marks = signatures(program.steps, program.takes)
        if taken.isdisjoint(marks):
            found[program.name] = program
            taken.update(marks)
    return list(found.values())


def _evaluation_set(kept: Mapping[Split, list[Composition]]) -> list[Composition]:
    """Held-out problems in a fixed order, the kinds of result in turn, every operation seen in training."""
    trained = _operations(kept["pretraining"]) & _operations(kept["fine-tuning"])
    used: Counter[Skeleton] = Counter()
    by_kind: dict[Kind, list[Composition]] = {kind: [] for kind in KINDS}
    for program in sorted(kept["evaluation"], key=_hashed):
        shape = skeleton(program)
        used[shape] += 1
        if used[shape] <= PER_SKELETON_IN_EVALUATION and trained.issuperset(shape):
            by_kind[program.gives].append(program)
    rounds = zip_longest(*by_kind.values())
    return [program for turn in rounds for program in turn if program is not None][:EVALUATION]


def _operations(programs: Iterable[Composition]) -> set[str]:
    return {name for program in programs for name in skeleton(program)}


def _by_skeleton(programs: Iterable[Composition]) -> dict[Skeleton, list[Composition]]:
    grouped: dict[Skeleton, list[Composition]] = defaultdict(list)
    for program in programs:
        grouped[skeleton(program)].append(program)
    return grouped


def _hashed(item: Composition | Skeleton) -> int:
    """A number below 2**64 that stays the same in every process."""
    name = item.name if isinstance(item, Composition) else "__".join(item)
    return int.from_bytes(hashlib.blake2b(f"{SEED}:{name}".encode(), digest_size=8).digest(), "little")


def render(content: Mapping[str, list[Any]]) -> str:
    """JSON with one problem a line."""
    return "{\n" + ",\n".join(_section(*section) for section in content.items()) + "\n}\n"


def _section(name: str, entries: list[Any]) -> str:
    return f'"{name}": [\n' + ",\n".join(map(json.dumps, entries)) + "\n]"


def main(path: Path = FILE) -> None:
    """Write splits.json."""
    path.write_text(render(build()), encoding="utf-8")


if __name__ == "__main__":
    main()
