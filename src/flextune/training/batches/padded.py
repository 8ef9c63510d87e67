"""Batches that are padded only to their own longest text."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from flextune.models.encoding import IGNORED

#: Which tokens' predictions are compared with the base model's, in rows and batches.
COMPARED = "compared"
#: Positions of a batch whose logits the loss needs, in batches that say so.
COUNTED = "counted"


class Collator:
    """Pads on the right to the batch's longest text.

    There is no attention mask: under causal attention no text sees padding on its right, padding itself
    is not counted, and without a mask attention takes its fast path (10 % of a small model's step).

    Args:
        pad: Id that fills ``input_ids``.
        counted: Also give the positions whose logits the loss needs.
    """

    def __init__(self, pad: int, *, counted: bool = False) -> None:
        self.pad = pad
        self.counted = counted

    def __call__(self, rows: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """``input_ids``, ``labels`` (-100 on padding) and, where rows have it, ``compared``: all padded."""
        fill = {"input_ids": self.pad, "labels": IGNORED, COMPARED: False}
        batch = {
            key: torch.nn.utils.rnn.pad_sequence(
                [row[key] for row in rows], batch_first=True, padding_value=fill[key]
            )
            for key in rows[0]
        }
        return {**batch, COUNTED: counted_positions(batch["labels"])} if self.counted else batch


def counted_positions(labels: Tensor) -> Tensor:
    """Positions that predict a label which counts in any row of ``labels``, shape ``(positions,)``."""
    return labels[:, 1:].ne(IGNORED).any(0).nonzero().squeeze(1)
