"""What the benchmark is made of, counted: splits, what retrieval solves, what the tests catch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from flextune.progress import Reporter, Silent
from flextune.records import as_row
from flextune.rosetta.behaviour import results
from flextune.rosetta.inputs import draw
from flextune.rosetta.operations import OPERATIONS
from flextune.rosetta.retrieval import Weight, solved_by_retrieval
from flextune.rosetta.splits import SPLITS, Exercise, Split, compositions, evaluation_set
from flextune.rosetta.testing import cases, killed, mutants
from flextune.rosetta.wording import Lexicon

#: New inputs on which a mutant that no test catches has to differ to count as one.
FRESH_INPUTS = 200


@dataclass(frozen=True, slots=True)
class SplitCount:
    """One split.

    Attributes:
        name: Of the split.
        problems: In it.
        stateful: Of these, how many need a loop, a branch or a map.
    """

    name: str
    problems: int
    stateful: int


@dataclass(frozen=True, slots=True)
class Card:
    """The benchmark in numbers.

    Attributes:
        operations: There are.
        stateful_operations: Of these, how many need a loop with state, a branch or a map.
        splits: By name; evaluation is all that training must not see.
        evaluated: Problems of the evaluation set.
        retrieved: (lexicon, weight) to the evaluation problems that the nearest training solution passes.
        mutants: Programs with one operation or constant changed that give other results than the reference.
        caught: Of these, how many the tests catch.
    """

    operations: int
    stateful_operations: int
    splits: tuple[SplitCount, ...]
    evaluated: int
    retrieved: dict[tuple[Lexicon, Weight], int]
    mutants: int
    caught: int

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """What is counted, its number, and its share of a whole where it is a part."""
        yield "operations", f"{self.operations:,}", ""
        yield _part("with a loop, branch or map", self.stateful_operations, self.operations)
        for split in self.splits:
            yield f"problems, {split.name}", f"{split.problems:,}", ""
            yield _part("with a loop, branch or map", split.stateful, split.problems)
        yield "problems evaluated", f"{self.evaluated:,}", ""
        for (lexicon, weight), solved in self.retrieved.items():
            yield _part(f"solved by retrieval, {lexicon}, {weight}", solved, self.evaluated)
        yield "mutants that differ", f"{self.mutants:,}", ""
        yield _part("caught by the tests", self.caught, self.mutants)

    def as_row(self) -> dict[str, Any]:
        """The same as JSON."""
        retrieved = [
            {"lexicon": lexicon, "weight": weight, "solved": solved}
            for (lexicon, weight), solved in self.retrieved.items()
        ]
        return {**as_row(self), "retrieved": retrieved}


def _part(name: str, part: int, whole: int) -> tuple[str, str, str]:
    return f"  {name}", f"{part:,}", f"{100 * part / whole:.2f} %"


def card(reporter: Reporter | None = None) -> Card:
    """Count everything; takes about a minute."""
    problems = evaluation_set()
    caught = mutants_ = 0
    rng = np.random.default_rng(5)
    with (reporter or Silent()).stage("mutants", len(problems)) as stage:
        for number, exercise in enumerate(problems, start=1):
            found = mutants_caught(exercise, rng)
            caught, mutants_ = caught + found[0], mutants_ + found[1]
            stage.update(number, len(problems))
    return Card(
        operations=len(OPERATIONS),
        stateful_operations=sum(operation.stateful for operation in OPERATIONS.values()),
        splits=tuple(_count(name) for name in SPLITS),
        evaluated=len(problems),
        retrieved={
            (lexicon, weight): solved_by_retrieval(lexicon, weight)
            for lexicon in get_args(Lexicon)
            for weight in get_args(Weight)
        },
        mutants=mutants_,
        caught=caught,
    )


def mutants_caught(exercise: Exercise, rng: np.random.Generator) -> tuple[int, int]:
    """Mutants that the exercise's tests catch, and all that differ from the reference.

    A mutant that no test catches differs if it does on one of ``FRESH_INPUTS`` new inputs.
    """
    program = exercise.composition
    expected = cases(program, exercise.inputs)
    fresh = [draw(program.takes, rng) for _ in range(FRESH_INPUTS)]
    reference = results(program.steps, fresh)
    caught = missed = 0
    for mutant in mutants(program):
        if killed(mutant, expected):
            caught += 1
        else:
            missed += results(mutant, fresh) != reference
    return caught, caught + missed


def _count(name: Split) -> SplitCount:
    programs = compositions(name)
    return SplitCount(name, len(programs), sum(program.stateful for program in programs))
