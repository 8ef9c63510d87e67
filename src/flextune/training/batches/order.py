"""The order in which examples are trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

# Batches that are sorted by length together. 8 of 16 texts leave about 5 % padding, and the texts of a
# batch are still drawn from a wide range.
_WINDOW = 8


class GroupedOrder(Sampler[int]):
    """A random order in which a batch holds texts of similar length.

    The seed decides which texts share a batch, and the batches' order: each epoch is a permutation drawn from
    (seed, epoch) and nothing else, so arms of one seed see the same batches. Within every window of eight
    batches texts are sorted by length, then the windows' batches are shuffled; an incomplete batch
    stays last.

    Args:
        lengths: Tokens of each text.
        batch_size: Texts per batch.
        seed: Of the order; a training's own (``args.seed``).
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
