"""Estimates of several processes that take parts of one's micro-batches, and draw what it would draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Turn:
    """The micro-batches that all processes have at the same time.

    Attributes:
        totals: Counted tokens of each, in the order of one process alone.
        own: Which of them this process has a part of.
        before: Its tokens that lie in parts of lower ranks.
        first: Whether this process has the first part.
    """

    totals: tuple[int, ...]
    own: int
    before: int
    first: bool

    @property
    def tokens(self) -> int:
        """Counted tokens of the own micro-batch, all parts together."""
        return self.totals[self.own]

    def counted(self) -> Iterator[tuple[bool, int]]:
        """Of each micro-batch that has a counted token: whether it is the own one, and its tokens."""
        return ((index == self.own, total) for index, total in enumerate(self.totals) if total)


class Together:
    """All processes of the default group, where so many in a row share a micro-batch.

    Every process must make the same calls, at the same micro-batches.

    Args:
        parts: Processes that share one; a divisor of their number.
    """

    def __init__(self, parts: int) -> None:
        world, self._rank = dist.get_world_size(), dist.get_rank()
        self.parts = parts
        self._sharing = None if parts in (1, world) else dist.new_subgroups(parts)[0]

    def turn(self, tokens: int, device: torch.device) -> Turn:
        """Tell the others how many counted tokens this process has of its micro-batch.

        Args:
            tokens: That many.
            device: On which processes can talk.
        """
        mine = torch.tensor([tokens], device=device)
        counts = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
        dist.all_gather(counts, mine)
        numbers = [int(count) for count in counts]
        totals = tuple(
            sum(numbers[start : start + self.parts]) for start in range(0, len(numbers), self.parts)
        )
        start = self._rank - self._rank % self.parts
        return Turn(totals, self._rank // self.parts, sum(numbers[start : self._rank]), start == self._rank)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Add up tensors over the processes that share a micro-batch, in place."""
        if self.parts == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat, group=self._sharing)
        for tensor, part in zip(tensors, flat.split([each.numel() for each in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))
