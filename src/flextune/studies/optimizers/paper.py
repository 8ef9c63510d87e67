"""The paper's claims and numbers, from ``paper.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from flextune.report.sections import asset

Clock = Literal["step", "seconds"]


@dataclass(frozen=True, slots=True)
class TimeClaim:
    """That an arm gets to its reference's lowest validation loss sooner.

    Attributes:
        name: As it is shown.
        clock: What counts as time.
        at_most: Largest part of the reference's time with which it holds.
    """

    name: str
    clock: Clock
    at_most: float


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One row of the paper's table."""

    name: str
    validation_loss: float
    minutes: float
    megabytes: float

    @property
    def numbers(self) -> tuple[float, float, float]:
        """In the order of the columns."""
        return (self.validation_loss, self.minutes, self.megabytes)


@dataclass(frozen=True, slots=True)
class Paper:
    """What the paper says.

    Attributes:
        claims: Those about time.
        title: Of its table.
        reference: The row that its ratios are to.
        others: Its other rows.
    """

    claims: tuple[TimeClaim, ...]
    title: str
    reference: PaperRow
    others: tuple[PaperRow, ...]

    def claim(self, clock: Clock) -> TimeClaim:
        """The first claim about a clock."""
        return next(claim for claim in self.claims if claim.clock == clock)


@cache
def paper() -> Paper:
    """The paper, read once."""
    document: dict[str, Any] = yaml.safe_load(asset("flextune.studies.optimizers", "paper.yaml"))
    table = document["table"]
    return Paper(
        claims=tuple(TimeClaim(**claim) for claim in document["claims"]),
        title=table["title"],
        reference=PaperRow(**table["reference"]),
        others=tuple(PaperRow(**row) for row in table["others"]),
    )
