"""What rows have generated, looked at every few steps: a look costs a transfer from the device."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from flextune.generation.local.rows import Row

#: Steps between two looks at the text, when rows that have ended leave the batch.
LOOK_EVERY = 8

#: Whether the last tokens of a row hold a stop string: (row, ids) -> bool.
Stopped = Callable[[Row, Sequence[int]], bool]


class NanLogitsError(ArithmeticError):
    """A model computed NaN where a token was to be chosen.

    Attributes:
        row: The first row of the batch where it did.
    """

    def __init__(self, row: Row) -> None:
        super().__init__(f"NaN logits for {row.problem.name}")
        self.row = row


@dataclass(slots=True)
class Decoded:
    """What one row has generated.

    Attributes:
        max_new_tokens: Tokens it may have.
        ids: New tokens, EOS included. Up to ``LOOK_EVERY - 1`` may follow a stop string.
        gaps: For every token, the distance of the two largest logits before it.
        ended: The last token is EOS.
    """

    max_new_tokens: int
    ids: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def full(self) -> bool:
        """Whether nothing can follow."""
        return self.ended or len(self.ids) >= self.max_new_tokens

    def extend(self, ids: Sequence[int], gaps: Sequence[float], eos: Collection[int]) -> None:
        """Take new tokens until the row is full."""
        for token, gap in zip(ids, gaps, strict=True):
            if self.full:
                return
            self.ids.append(token)
            self.gaps.append(gap)
            self.ended = token in eos


def with_gaps(logits: Tensor, tokens: Tensor) -> Tensor:
    """Chosen tokens and the gaps of the two largest logits, for one transfer.

    Args:
        logits: Shape ``(rows, vocabulary)``.
        tokens: Shape ``(rows,)``.

    Returns:
        Shape ``(2, rows)``, float64: ids below 2^53 are exact in it.
    """
    top = logits.topk(2).values
    return torch.stack((tokens.double(), (top[:, 0] - top[:, 1]).double()))


def look(
    rows: Sequence[Row],
    decoded: Sequence[Decoded],
    recent: Sequence[Tensor],
    eos: Collection[int],
    stopped: Stopped,
) -> list[int]:
    """Hand the rows their new tokens; returns the places of those that continue.

    Args:
        rows: The rows of the batch.
        decoded: What each has generated; extended here.
        recent: ``with_gaps`` of every step since the last look.
        eos: Ids that end a text.
        stopped: Whether the last tokens of a row hold a stop string.

    Raises:
        NanLogitsError: The logits behind one of these tokens were NaN.
    """
    ids, gaps = torch.stack(list(recent), dim=-1).cpu()
    # topk counts NaN as the largest, so that one NaN logit makes the gap NaN.
    if (broken := gaps.isnan().any(dim=1)).any():
        raise NanLogitsError(rows[int(broken.int().argmax())])
    running = []
    for place, (row, so_far) in enumerate(zip(rows, decoded, strict=True)):
        ends = {*eos, *row.ends} if row.ends else eos
        so_far.extend(ids[place].long().tolist(), gaps[place].tolist(), ends)
        if not (so_far.full or stopped(row, so_far.ids)):
            running.append(place)
    return running
