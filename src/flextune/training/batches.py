"""Examples as token ids, batches padded only to their own longest text, and a reproducible order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from flextune.models.encoding import IGNORED, encode_example
from flextune.records import Example

_logger = logging.getLogger(__name__)

#: Which tokens' predictions are compared with the base model's, in rows and batches.
COMPARED = "compared"

# Batches that are sorted by length together. 8 of 16 texts leave about 5 % padding, and the texts of a
# batch are still drawn from a wide range.
_WINDOW = 8


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


class GroupedOrder(Sampler[int]):
    """A random order in which a batch holds texts of similar length.

    Each epoch is a permutation drawn from (seed, epoch) and nothing else. Within every window of eight
    batches texts are sorted by length, then the windows' batches are shuffled; an incomplete batch
    stays last.

    Args:
        lengths: Tokens of each text.
        batch_size: Texts per batch.
        seed: Of the order.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(len(self.lengths))
        whole = len(order) - len(order) % self.batch_size
        window = _WINDOW * self.batch_size
        batches: list[np.ndarray] = []
        for start in range(0, whole, window):
            part = order[start : min(start + window, whole)]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches.extend(part.reshape(-1, self.batch_size))
        for index in generator.permutation(len(batches)):
            yield from batches[index].tolist()
        yield from order[whole:].tolist()
