"""Sweeps that are drawn instead of run: configurations of which all, or all but some, change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray
from scipy import special

from flextune.records import Outcome, Score
from flextune.statistics.components import Floats
from flextune.statistics.selection.field import Field
from flextune.statistics.simulation import PROBLEM_SPREAD, chances

#: Of the noise of one answer, what configurations of one family share (one adapter, decoded differently).
SHARED_BY_FAMILY = 0.8


@dataclass(frozen=True, slots=True)
class SweepDesign:
    """A sweep over configurations, each run on the same problems.

    Attributes:
        configurations: How many.
        problems: Posed to each.
        rate: Pass rate of the baseline and of every configuration that changes nothing.
        gain: Of the planted configurations.
        planted: How many have the gain; the first ones.
        family: Neighbouring configurations that share an adapter; 1: none do.
        spread: Of the problems' ease, on the logit scale; 0: all are equally hard.
        samples: Answers to a problem; the families take turns. The baseline has the first number.
    """

    configurations: int = 150
    problems: int = 164
    rate: float = 0.34
    gain: float = 0.0
    planted: int = 0
    family: int = 1
    spread: float = PROBLEM_SPREAD
    samples: tuple[int, ...] = (1,)

    @property
    def true_gains(self) -> Floats:
        """Of each configuration, on problems like these."""
        return np.where(np.arange(self.configurations) < self.planted, self.gain, 0.0)


def draw_sweep(design: SweepDesign, rng: np.random.Generator) -> Field:
    """One sweep of a design."""
    ease = rng.normal(size=design.problems)
    rates = [chances(rate, design.spread, ease) for rate in (design.rate, design.rate + design.gain)]
    families = -(-design.configurations // design.family)
    runs: list[NDArray[np.bool_]] = []
    for number in range(families):
        samples = design.samples[number % len(design.samples)]
        shared = rng.normal(size=(samples, design.problems))
        for place in range(number * design.family, min((number + 1) * design.family, design.configurations)):
            own = rng.normal(size=(samples, design.problems))
            weight = SHARED_BY_FAMILY if design.family > 1 else 0.0
            luck = special.ndtr(np.sqrt(weight) * shared + np.sqrt(1 - weight) * own)
            runs.append(luck < rates[place < design.planted])
    baseline = rng.random((design.samples[0], design.problems)) < rates[0]
    names = tuple(f"p{number:04}" for number in range(design.problems))
    return Field(
        _score("baseline", baseline, names),
        _Scores(runs, names),
        names,
        np.array([table.mean(axis=0) for table in runs]),
        baseline.mean(axis=0),
    )


@dataclass(frozen=True, slots=True)
class _Scores(Sequence[Score]):
    """Scores that are made when they are asked for: of hundreds a report looks at a few."""

    runs: list[NDArray[np.bool_]]
    names: tuple[str, ...]
    made: dict[int, Score] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.runs)

    @overload
    def __getitem__(self, place: int) -> Score: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Score]: ...

    def __getitem__(self, place: int | slice) -> Score | Sequence[Score]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        if place not in self.made:
            self.made[place] = _score(str(place), self.runs[place], self.names)
        return self.made[place]

    def __iter__(self) -> Iterator[Score]:
        return (self[place] for place in range(len(self)))


def _score(arm: str, runs: NDArray[np.bool_], names: tuple[str, ...]) -> Score:
    words: tuple[Outcome, Outcome] = ("wrong_answer", "passed")
    columns = runs.T.tolist()
    outcomes = {
        name: [words[passed] for passed in column] for name, column in zip(names, columns, strict=True)
    }
    return Score(arm, "drawn", "py", None, "greedy", {"-": outcomes}, {"-": None})
