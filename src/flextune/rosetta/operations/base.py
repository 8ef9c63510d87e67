"""What an operation is: one step of a Rosetta problem, with its meaning and its wordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["int", "ints", "text", "words", "counts"]
KINDS: tuple[Kind, ...] = ("int", "ints", "text", "words", "counts")


class Undefined(ValueError):
    """The operation has no result for this input; such inputs are never used as tests."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step: takes one value, gives one value.

    Attributes:
        name: Key in every language file.
        takes: Kind of its input: ``int``, ``ints`` (list), ``text``, ``words`` (list of texts) or
            ``counts`` (map from text to integer).
        gives: Kind of its result.
        meaning: The reference in Python, ``meaning(value)`` or ``meaning(value, k)``; never changes its
            input and raises ``Undefined`` where there is no result.
        result: Variable name of the result in every language; one lower-case word.
        base: Wordings used in pretraining; ``{k}`` stands for the constant.
        reserved: Wordings that occur in the Python fine-tuning set alone; one is enough, so that every one
            is seen often in a short fine-tuning.
        stateful: Needs a loop with state, a branch or a map; False for a one-line map or a library call.
        constants: Values that ``k`` may take; empty when there is none.
    """

    name: str
    takes: Kind
    gives: Kind
    meaning: Callable[..., Any]
    result: str
    base: tuple[str, ...]
    reserved: tuple[str, ...]
    stateful: bool = False
    constants: tuple[int, ...] = ()

    def __call__(self, value: Any, k: int | None = None) -> Any:
        """The result for one input, with the constant where there is one."""
        return self.meaning(value, k) if self.constants else self.meaning(value)


def some(values: Any) -> Any:
    """``values`` itself; raises ``Undefined`` when empty."""
    if not values:
        raise Undefined("empty")
    return values
