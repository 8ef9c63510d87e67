"""All steps, programs by name, and every well-formed way to put two steps in a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from flextune.errors import FlextuneError
from flextune.rosetta.composition import Composition, Step
from flextune.rosetta.operations import OPERATIONS, Operation

#: Operation names in a row, constants left open: what is held out of training as a whole.
Skeleton = tuple[str, ...]


def steps_of(operation: Operation) -> tuple[Step, ...]:
    """The operation with each of its constants."""
    return tuple(Step(operation, k) for k in operation.constants or (None,))


#: Every step by its label.
STEPS: dict[str, Step] = {
    step.label: step for operation in OPERATIONS.values() for step in steps_of(operation)
}


def parse(name: str) -> Composition:
    """The composition of that name.

    Raises:
        FlextuneError: If a step of the name is unknown.
    """
    labels = name.split("__")
    for label in labels:
        if label not in STEPS:
            raise FlextuneError(f"rosetta: {name!r} has an unknown step {label!r}")
    return Composition(tuple(STEPS[label] for label in labels))


def skeleton(composition: Composition) -> Skeleton:
    """Names of its operations, without constants."""
    return tuple(step.operation.name for step in composition.steps)


def singles() -> Iterator[Composition]:
    """Every program of one step."""
    return (Composition((step,)) for step in STEPS.values())


def pairs() -> Iterator[Composition]:
    """Every well-formed program of two steps, problems or not."""
    return (
        Composition((first, second))
        for first in STEPS.values()
        for second in STEPS.values()
        if first.operation.gives == second.operation.takes
    )


def by_operation(programs: Iterable[Composition]) -> list[tuple[Composition, ...]]:
    """One group per operation, by its name: the programs that use it."""
    groups: dict[str, list[Composition]] = defaultdict(list)
    for program in programs:
        for name in skeleton(program):
            groups[name].append(program)
    return [tuple(groups[name]) for name in sorted(groups)]


def alternatives(step: Step) -> tuple[Step, ...]:
    """Other steps that could stand in its place: another constant, or another operation of its kinds."""
    operation = step.operation
    return tuple(
        other
        for other in STEPS.values()
        if (other.operation.takes, other.operation.gives) == (operation.takes, operation.gives)
        and other.label != step.label
    )
