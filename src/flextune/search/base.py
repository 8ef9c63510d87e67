"""What every search is given and asked for: axes, the trials so far, and the next settings."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

Settings = dict[str, Any]
State = Literal["running", "done", "pruned", "failed"]

#: Digits of a drawn number: more says nothing, and fewer digits are read more easily.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Axis:
    """One key and the values that it takes.

    Attributes:
        key: Dotted.
        values: A list of them; empty where there is a range.
        low: The smallest number of a range.
        high: The largest.
        log: Whether the range is spread evenly by logarithms.
        whole: Whether only whole numbers are meant.
        steps: Values of a grid over the range.
    """

    key: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    steps: int = 2

    def grid(self) -> list[Any]:
        """The values, or ``steps`` numbers of the range."""
        if self.values:
            return list(self.values)
        return list(dict.fromkeys(self.at(step / (self.steps - 1)) for step in range(self.steps)))

    def at(self, place: float) -> Any:
        """The value at a place from 0 to 1."""
        if self.values:
            return self.values[min(int(place * len(self.values)), len(self.values) - 1)]
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        number = low + place * (high - low)
        return self.rounded(math.exp(number) if self.log else number)

    def rounded(self, number: float) -> float | int:
        """A number of the range as it is written."""
        if self.whole:
            return round(min(max(number, self.low), self.high))
        return min(max(float(f"{number:.{DIGITS}g}"), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration that was proposed.

    Attributes:
        number: 0, 1, ... in the order of proposal.
        settings: Keys to values.
        state: ``failed`` where the keys do not allow the values, or the training diverged.
        value: Of the objective, once it is done or given up.
        proposal: What the search calls it, where it has a memory of its own.
    """

    number: int
    settings: Settings
    state: State = "running"
    value: float | None = None
    proposal: int | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to try next.

    Attributes:
        settings: Keys to values.
        proposal: What the search calls it; None for a search without a memory of its own.
    """

    settings: Settings
    proposal: int | None = None


class Search(Protocol):
    """Proposes configurations; one process at a time asks."""

    @property
    def in_turn(self) -> bool:
        """Whether the next proposal needs every earlier trial to have ended."""

    def propose(self, trials: Sequence[Trial]) -> Proposal | None:
        """The next configuration; None when there is none.

        Args:
            trials: All so far, by number.
        """

    def close(self) -> None:
        """Let go of whatever is open."""


def combinations(axes: Sequence[Axis]) -> Iterator[Settings]:
    """Every combination of the axes' grids; the last axis varies fastest."""
    for values in itertools.product(*(axis.grid() for axis in axes)):
        yield dict(zip((axis.key for axis in axes), values, strict=True))


def drawn(axes: Sequence[Axis], rng: np.random.Generator) -> Settings:
    """A combination that is drawn evenly."""
    return {axis.key: axis.at(float(rng.random())) for axis in axes}


def words(settings: Mapping[str, Any]) -> str:
    """``penalty.strength=0.01 adapter.rank=8``: a name that tells a configuration from the others."""
    return " ".join(f"{key}={_word(value)}" for key, value in settings.items())


def _word(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"))
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
