"""What a composition does on the fixed inputs: its results, and when two of them behave alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

from flextune.rosetta.composition import Composition, Step
from flextune.rosetta.inputs import BLOCKS, pool
from flextune.rosetta.operations import Kind, Undefined

#: Largest magnitude of an integer and largest length of anything else, in results and on the way to them.
LARGEST_INTEGER = 2**31
LONGEST = 200

#: A problem has results on this share of the inputs at least, one result on at most that share of these,
#: and each step changes the result on this share at least.
DEFINED, SAME, EFFECT = 0.4, 0.6, 0.05


class _Nothing:
    """Stands for the missing result of an undefined input."""

    def __repr__(self) -> str:
        return "undefined"


NOTHING = _Nothing()


def apply(step: Step, values: Iterable[Any]) -> list[Any]:
    """The step's result for each value; ``NOTHING`` where there is none."""
    meaning = step.operation.meaning
    constants = () if step.k is None else (step.k,)
    results: list[Any] = []
    for value in values:
        try:
            results.append(NOTHING if value is NOTHING else meaning(value, *constants))
        except Undefined:
            results.append(NOTHING)
    return results


def results(steps: Sequence[Step], values: Iterable[Any]) -> list[Any]:
    """Results of steps in a row; no steps give the values themselves."""
    found = list(values)
    for step in steps:
        found = apply(step, found)
    return found


# Many compositions begin alike, and each is asked for its results several times in a row.
@lru_cache(maxsize=2048)
def _values(steps: tuple[Step, ...], kind: Kind, block: int) -> tuple[Any, ...]:
    return tuple(apply(steps[-1], _values(steps[:-1], kind, block))) if steps else pool(kind, block)


def canonical(value: Any) -> str:
    """A text that is equal for equal values; maps have no order."""
    return repr(sorted(value.items())) if isinstance(value, dict) else repr(value)


@cache
def signatures(steps: tuple[Step, ...], takes: Kind) -> tuple[str, ...]:
    """One digest per block of fixed inputs; two programs that agree on any block behave alike."""
    gives = steps[-1].operation.gives if steps else takes
    return tuple(
        f"{block}:{takes}:{gives}:{_digest(_values(steps, takes, block))}" for block in range(BLOCKS)
    )


def _digest(values: Sequence[Any]) -> str:
    plain = [sorted(value.items()) if isinstance(value, dict) else value for value in values]
    return hashlib.blake2b(repr(plain).encode(), digest_size=8).hexdigest()


def sound(composition: Composition) -> bool:
    """Whether it makes a problem: defined, varied, of readable size, and no step idle."""
    steps, kind = composition.steps, composition.takes
    found = _values(steps, kind, 0)
    defined = [value for value in found if value is not NOTHING]
    if len(defined) < DEFINED * len(found):
        return False
    if max(Counter(map(canonical, defined)).values()) > SAME * len(defined):
        return False
    if not all(_readable(steps[:length], kind) for length in range(1, len(steps) + 1)):
        return False
    return all(_differ(found, _values(rest, kind, 0)) for rest in _without_one(steps))


@lru_cache(maxsize=2048)
def _readable(steps: tuple[Step, ...], kind: Kind) -> bool:
    return all(_small(value) for value in _values(steps, kind, 0))


def _small(value: Any) -> bool:
    if value is NOTHING:
        return True
    if isinstance(value, int):
        return abs(value) <= LARGEST_INTEGER
    values = list(value.values()) if isinstance(value, dict) else value
    if values and isinstance(values[0], int):
        return len(values) <= LONGEST and max(values) <= LARGEST_INTEGER and min(values) >= -LARGEST_INTEGER
    return len(values) <= LONGEST and max(map(len, values), default=0) <= LONGEST


def _without_one(steps: tuple[Step, ...]) -> Iterable[tuple[Step, ...]]:
    """The programs left by taking out one step whose input and result are of one kind."""
    return (
        steps[:i] + steps[i + 1 :]
        for i, step in enumerate(steps)
        if step.operation.takes == step.operation.gives
    )


def _differ(some: Sequence[Any], other: Sequence[Any]) -> bool:
    return sum(a != b for a, b in zip(some, other, strict=True)) >= EFFECT * len(some)
