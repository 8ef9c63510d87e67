"""The order in which examples are trained on, and which of them share a batch."""

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


class GroupedBatches(Sampler[list[int]]):
    """The batches of ``GroupedOrder``.

    It is a sampler of batches, and not of texts, because accelerate hands an epoch's number on to that alone
    when a training is resumed within an epoch.

    Args:
        lengths: Tokens of each text.
        batch_size: Texts per batch.
        seed: Of the order.
    """

    drop_last = False

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.order = GroupedOrder(lengths, batch_size, seed)
        self.batch_size = batch_size

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration."""
        self.order.set_epoch(epoch)

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        indices = list(self.order)
        for start in range(0, len(indices), self.batch_size):
            yield indices[start : start + self.batch_size]


class PackedBatches(Sampler[list[int]]):
    """Batches of as many texts as a number of tokens holds.

    The seed decides which texts share a batch; that stays so in all epochs, whose numbers of steps are then
    equal, and each epoch has an order of its own, drawn from (seed, epoch). Texts are placed in a random
    order, each into the fullest batch that has room for it.

    Args:
        lengths: Tokens of each text.
        tokens: Per batch, at most; a longer text is a batch of its own.
        seed: Of the batches and their order.
    """

    drop_last = False
    #: Batches differ in their numbers of texts.
    batch_size: int | None = None

    def __init__(self, lengths: Sequence[int], tokens: int, seed: int) -> None:
        self.seed = seed
        self.epoch = 0
        # The third number keeps these draws apart from those of the epochs.
        order = np.random.default_rng([seed, 0, 1]).permutation(len(lengths))
        self.batches = _packed(lengths, tokens, order.tolist())

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        for index in np.random.default_rng([self.seed, self.epoch]).permutation(len(self.batches)):
            yield self.batches[index]


# Batches that are looked through for room; the oldest is closed then. It bounds the time for a large corpus.
_OPEN = 64


def _packed(lengths: Sequence[int], tokens: int, order: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    room: dict[int, int] = {}
    for index in order:
        length = lengths[index]
        fitting = [batch for batch, left in room.items() if left >= length]
        if fitting:
            batch = min(fitting, key=room.__getitem__)
        else:
            batch = len(batches)
            batches.append([])
            room[batch] = tokens
            if len(room) > _OPEN:
                del room[next(iter(room))]
        batches[batch].append(index)
        room[batch] -= length
    return batches
