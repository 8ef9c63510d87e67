"""Examples as token ids, and batches that are padded only to their own longest text."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from flextune.models.encoding import IGNORED, encode_example
from flextune.records import Example

_logger = logging.getLogger(__name__)

#: Which tokens' predictions are compared with the base model's, in rows and batches.
COMPARED = "compared"


def encode_all(
    tokenizer: Any,
    examples: Iterable[Example],
    max_length: int,
    loss: Literal["completion", "full"],
    compare: Literal["prompt", "all"] | None = None,
) -> list[dict[str, Tensor]]:
    """Examples as ``{"input_ids", "labels"}`` of shape ``(tokens,)``.

    With ``compare`` also ``"compared"``, bool: the prompt's tokens, or all.

    An example without a token to learn (empty, or a prompt that fills ``max_length``) is left out, with
    one warning for all of them.
    """
    rows, skipped = [], 0
    for example in examples:
        ids, labels = encode_example(tokenizer, example, max_length, loss)
        # The first token is predicted by nothing.
        if all(label == IGNORED for label in labels[1:]):
            skipped += 1
            continue
        row = {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels)}
        if compare is not None:
            answer = encode_example(tokenizer, example, max_length, "completion")[1]
            row[COMPARED] = torch.tensor([compare == "all" or label == IGNORED for label in answer])
        rows.append(row)
    if skipped:
        _logger.warning(
            "%d of %d examples have no token to learn within max_length %d and are left out",
            skipped,
            skipped + len(rows),
            max_length,
        )
    return rows


class Collator:
    """Pads on the right to the batch's longest text.

    There is no attention mask: under causal attention no text sees padding on its right, padding itself
    is not counted, and without a mask attention takes its fast path (10 % of a small model's step).

    Args:
        pad: Id that fills ``input_ids``.
    """

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, rows: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """``input_ids``, ``labels`` (-100 on padding) and, where rows have it, ``compared``: all padded."""
        fill = {"input_ids": self.pad, "labels": IGNORED, COMPARED: False}
        return {
            key: torch.nn.utils.rnn.pad_sequence(
                [row[key] for row in rows], batch_first=True, padding_value=fill[key]
            )
            for key in rows[0]
        }
