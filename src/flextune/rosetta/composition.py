"""A problem's program: operations in a row, each with its constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flextune.rosetta.operations import Kind, Operation


@dataclass(frozen=True, slots=True)
class Step:
    """One operation with the constant it uses, None where it takes none."""

    operation: Operation
    k: int | None = None

    @property
    def label(self) -> str:
        """``keep_above_3`` or ``reverse``: unique per (operation, constant)."""
        return self.operation.name if self.k is None else f"{self.operation.name}_{self.k}"


@dataclass(frozen=True, slots=True)
class Composition:
    """Steps applied from left to right; each takes what the one before gives."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        for first, second in zip(self.steps, self.steps[1:], strict=False):
            if first.operation.gives != second.operation.takes:
                raise ValueError(f"{second.label} does not take what {first.label} gives")

    @property
    def name(self) -> str:
        """Unique per composition: the steps' labels."""
        return "__".join(step.label for step in self.steps)

    @property
    def takes(self) -> Kind:
        """Kind of the input."""
        return self.steps[0].operation.takes

    @property
    def gives(self) -> Kind:
        """Kind of the result."""
        return self.steps[-1].operation.gives

    @property
    def stateful(self) -> bool:
        """Whether some step needs a loop with state, a branch or a map."""
        return any(step.operation.stateful for step in self.steps)

    def __call__(self, value: Any) -> Any:
        """The reference result; raises ``Undefined`` where a step has none."""
        for step in self.steps:
            value = step.operation(value, step.k)
        return value
