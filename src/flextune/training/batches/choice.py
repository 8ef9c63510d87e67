"""Which batches a training gets: what the recipe says, or what suits the device and the model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Sampler

from flextune.errors import FlextuneError
from flextune.training.batches.flat import FlatCollator
from flextune.training.batches.independence import mixing_layers, what_mixes
from flextune.training.batches.order import GroupedBatches, PackedBatches
from flextune.training.batches.padded import Collator
from flextune.training.batches.segments import by_segments
from flextune.training.counted import keeps_logits

if TYPE_CHECKING:
    from flextune.config import TrainConfig

_logger = logging.getLogger(__name__)

#: From so many words on, logits are computed only where they count on every device.
MANY_WORDS = 32_000


@dataclass(frozen=True)
class Batches:
    """How a training's examples become batches.

    Attributes:
        kind: ``padded``, ``padding_free`` or ``packed``.
        collate: Rows to a batch.
        batch_size: Texts per batch.
        budget: Tokens per batch, where they are packed.
    """

    kind: str
    collate: Any
    batch_size: int
    budget: int | None = None

    def sampler(self, lengths: Sequence[int], seed: int) -> Sampler[list[int]]:
        """Which texts share a batch, and in which order."""
        if self.budget is not None:
            return PackedBatches(lengths, self.budget, seed)
        return GroupedBatches(lengths, self.batch_size, seed)


def choose_batches(model: Any, train: TrainConfig, *, pad: int, computed: torch.dtype) -> Batches:
    """The batches that a recipe and a model want; the model's attention is set to what they need.

    ``auto`` is ``padding_free`` on CUDA, where an attention works text by text and the model keeps texts of
    a row apart, else ``padded``: on a CPU what a mask costs is about what padding costs, and results of
    earlier versions keep their bytes.

    Args:
        model: Of the training, with its adapter.
        train: The recipe's section.
        pad: Id that fills padded batches.
        computed: Type in which attention is computed.

    Raises:
        FlextuneError: ``padding_free`` or ``packed`` with a model that mixes texts of a row.
    """
    # On the CPU the logits of few words cost little at all positions, and finished work keeps its bytes.
    many = model.device.type != "cpu" or model.config.get_text_config().vocab_size >= MANY_WORDS
    counted = many and keeps_logits(model)
    padded = Batches("padded", Collator(pad, counted=counted), train.batch_size)
    if train.batches == "padded":
        return padded
    attention = by_segments(model.device, computed)
    if train.batches == "auto" and attention is None:
        return padded
    if train.torch_compile and attention is None:
        # Where texts begin is read from the positions' values, which a compiled forward pass may not look at.
        raise _refused(train, "torch_compile cannot see there where a text begins")
    before = model.config._attn_implementation
    if attention is not None:
        model.set_attn_implementation(attention)
    reason = what_mixes(model, segments=attention is not None)
    if reason is not None and attention is not None:
        # What this kernel cannot do, SDPA with a mask perhaps can.
        model.set_attn_implementation(before)
        attention = None
        reason = reason if train.batches == "auto" else what_mixes(model, segments=False)
    if reason is None:
        budget = train.batch_size * train.max_length if train.batches == "packed" else None
        kind = "packed" if budget else "padding_free"
        return Batches(kind, FlatCollator(segments=attention is not None), train.batch_size, budget)
    if train.batches == "auto":
        _logger.info("batches are padded: %s", reason)
        return padded
    raise _refused(train, reason)


def check_batches(train: TrainConfig, config: Any) -> None:
    """Refuse, before any weights are read, batches that a model's configuration rules out.

    Raises:
        FlextuneError: As ``choose_batches``.
    """
    reason = mixing_layers(config)
    if train.batches in ("padding_free", "packed") and reason is not None:
        raise _refused(train, reason)


def _refused(train: TrainConfig, reason: str) -> FlextuneError:
    return FlextuneError(
        f"train.batches: {train.batches} joins texts to one row, and {reason}; use batches: padded"
    )
