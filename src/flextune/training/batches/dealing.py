"""One process's part of every optimizer step, where several train the same batches together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Sampler

from flextune.errors import FlextuneError
from flextune.models.encoding import IGNORED
from flextune.training.batches.padded import COMPARED


@dataclass(frozen=True)
class Deal:
    """How the batches of an optimizer step are spread over processes.

    Attributes:
        parts: Processes that share one batch, with ranks in a row.
        rounds: Batches, or parts of them, that each process has in a step.
    """

    parts: int
    rounds: int


def deal_out(batch_size: int, per_step: int, world: int, *, joined: bool = False) -> Deal:
    """Spread the batches of a step: whole ones where they suffice for all processes, else in equal parts.

    Args:
        batch_size: Texts per batch.
        per_step: Batches per optimizer step.
        world: Number of processes.
        joined: Let all processes share each batch.

    Raises:
        FlextuneError: Some processes would have nothing to do.
    """
    apart = 1 if joined else math.gcd(per_step, world)
    parts = world // apart
    if batch_size < parts:
        wish = "" if joined else f", or gradient_accumulation_steps to a multiple of {world}"
        raise FlextuneError(
            f"{per_step} x {batch_size} examples a step leave some of {world} processes without work: set"
            f" train.batch_size to {parts} or more{wish}"
        )
    return Deal(parts, per_step // apart)


class Dealt(Sampler[list[int]]):
    """What one process takes of batches that are the same in all of them.

    All processes have the same number of batches, so that they meet in every step. Where there are not
    enough for all, as at the end of an epoch, some are empty.

    Args:
        batches: Of the training, in their order.
        deal: How they are spread.
        world: Number of processes.
        rank: Of this one.
    """

    drop_last = False

    def __init__(self, batches: Any, deal: Deal, world: int, rank: int) -> None:
        self.batches = batches
        self.deal = deal
        self.world = world
        self.rank = rank
        self.batch_size = getattr(batches, "batch_size", None)
        self.per_step = deal.rounds * world // deal.parts

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration."""
        if hasattr(self.batches, "set_epoch"):
            self.batches.set_epoch(epoch)

    def __len__(self) -> int:
        steps, rest = divmod(len(self.batches), self.per_step)
        return steps * self.deal.rounds + math.ceil(rest * self.deal.parts / self.world)

    def __iter__(self) -> Iterator[list[int]]:
        step: list[list[int]] = []
        for batch in self.batches:
            step.append(batch)
            if len(step) == self.per_step:
                yield from self._mine(step)
                step = []
        yield from self._mine(step)

    def _mine(self, step: Sequence[list[int]]) -> Iterator[list[int]]:
        pieces = [piece for batch in step for piece in _split(batch, self.deal.parts)]
        for first in range(0, len(pieces), self.world):
            yield pieces[first + self.rank] if first + self.rank < len(pieces) else []


class Spared:
    """A collator that makes of an empty batch one text of which nothing counts.

    Args:
        collate: Rows to a batch.
        rows: Of the training; the shortest is the text.
    """

    def __init__(
        self, collate: Callable[[Sequence[Any]], dict[str, Any]], rows: Sequence[Mapping[str, Tensor]]
    ) -> None:
        self.collate = collate
        shortest = min(rows, key=lambda row: len(row["input_ids"]))
        self.spare = {**shortest, "labels": torch.full_like(shortest["labels"], IGNORED)}
        if COMPARED in shortest:
            self.spare[COMPARED] = torch.zeros_like(shortest[COMPARED])

    def __call__(self, rows: Sequence[Any]) -> dict[str, Any]:
        """A batch."""
        return self.collate(rows or [self.spare])


def _split(batch: list[int], parts: int) -> list[list[int]]:
    """Parts whose sizes differ by at most one, in the batch's order."""
    size, more = divmod(len(batch), parts)
    ends = [(part + 1) * size + min(part + 1, more) for part in range(parts)]
    return [batch[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
