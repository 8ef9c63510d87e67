"""Test inputs of a problem, chosen to tell its program from programs that differ in one operation."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.random import Generator

from flextune.rosetta.behaviour import NOTHING, canonical, results
from flextune.rosetta.composition import Composition, Step
from flextune.rosetta.compositions import alternatives
from flextune.rosetta.inputs import BLOCKS, pool

#: Tests of a problem, and how many of them are to catch each mutant where that can be had.
TESTS, TIMES = 8, 3

#: Candidates looked at, and the longest literal of an input or a result among them.
CANDIDATES, LONGEST_LITERAL = 100, 48


def mutants(composition: Composition) -> Iterator[tuple[Step, ...]]:
    """The program with one step replaced by another operation of its kinds or another constant."""
    steps = composition.steps
    for place, step in enumerate(steps):
        for other in alternatives(step):
            yield (*steps[:place], other, *steps[place + 1 :])


def killed(steps: Sequence[Step], cases: Sequence[tuple[Any, Any]]) -> bool:
    """Whether the program gives another result on some case; no result at all does not count."""
    found = results(steps, [given for given, _ in cases])
    return any(
        got is not NOTHING and got != expected for got, (_, expected) in zip(found, cases, strict=True)
    )


def choose(composition: Composition) -> tuple[Any, ...]:
    """Inputs that catch as many mutants as can be had, each several times; chosen greedily."""
    candidates = _candidates(composition)
    caught = _caught(composition, [case for _, case in candidates])
    # open_[n]: mutants that fewer than n + 1 of the chosen inputs catch.
    open_ = [functools.reduce(int.__or__, caught, 0)] * TIMES
    chosen: list[int] = []
    seen: set[str] = set()
    while len(chosen) < min(TESTS, len(candidates)):
        best = max(
            set(range(len(candidates))).difference(chosen),
            key=lambda i: (
                *((caught[i] & mask).bit_count() for mask in open_),
                candidates[i][0] not in seen,
                -i,
            ),
        )
        chosen.append(best)
        seen.add(candidates[best][0])
        for n in reversed(range(1, TIMES)):
            open_[n] &= ~caught[best] | open_[n - 1]
        open_[0] &= ~caught[best]
    return tuple(candidates[i][1][0] for i in chosen)


def cases(composition: Composition, inputs: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each input with the reference's result."""
    return [(value, composition(value)) for value in inputs]


def _candidates(composition: Composition) -> list[tuple[str, tuple[Any, Any]]]:
    """Readable cases, each input once, behind a text of the result."""
    values = [value for block in range(BLOCKS) for value in pool(composition.takes, block)]
    distinct = {canonical(value): value for value in values if len(canonical(value)) <= LONGEST_LITERAL}
    inputs = list(distinct.values())[:CANDIDATES]
    found = zip(inputs, results(composition.steps, inputs), strict=True)
    shown = [(canonical(result), (value, result)) for value, result in found if result is not NOTHING]
    return [case for case in shown if len(case[0]) <= LONGEST_LITERAL]


def _caught(composition: Composition, cases: Sequence[tuple[Any, Any]]) -> list[int]:
    """Per case the set of mutants that it catches, as bits of an integer."""
    masks = [0] * len(cases)
    for number, steps in enumerate(mutants(composition)):
        found = results(steps, [given for given, _ in cases])
        for i, (got, (_, expected)) in enumerate(zip(found, cases, strict=True)):
            if got is not NOTHING and got != expected:
                masks[i] |= 1 << number
    return masks


def some_cases(composition: Composition, rng: Generator, count: int = 3) -> list[tuple[Any, Any]]:
    """Readable cases as quickly as they can be had, with different results as far as there are any."""
    fixed = pool(composition.takes, 0)
    start = int(rng.integers(len(fixed)))
    found: dict[str, tuple[Any, Any]] = {}
    spare: list[tuple[Any, Any]] = []
    for value in (*fixed[start:], *fixed[:start]):
        result = results(composition.steps, [value])[0]
        if result is NOTHING or max(len(repr(value)), len(repr(result))) > LONGEST_LITERAL:
            continue
        if canonical(result) in found:
            spare.append((value, result))
            continue
        found[canonical(result)] = (value, result)
        if len(found) == count:
            break
    return [*found.values(), *spare][:count]
