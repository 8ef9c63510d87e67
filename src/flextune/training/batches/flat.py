"""Batches without padding: texts one behind the other in a single row, each with positions from 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from flextune.models.encoding import IGNORED
from flextune.training.batches.padded import COMPARED, COUNTED, counted_positions


class FlatCollator:
    """Joins texts to one row of shape ``(1, tokens)``.

    What keeps them apart is ``position_ids``, which begin at 0 in every text, as long as the model gets
    neither an attention mask nor a cache: with either, texts would see one another and nothing would say so
    (transformers 5.23). No text's first token is learned, nor compared: another text stands before it.

    Args:
        segments: Also give where texts begin, for attention that works text by text
            (``cu_seq_lens_q`` and its companions, transformers' ``FlashAttentionKwargs``).
    """

    counted = True

    def __init__(self, *, segments: bool = False) -> None:
        self.segments = segments

    def __call__(self, rows: Sequence[dict[str, Tensor]]) -> dict[str, Any]:
        """What the model's forward takes, ``counted`` and, where rows have it, ``compared``."""
        lengths = [len(row["input_ids"]) for row in rows]
        batch: dict[str, Any] = {
            key: torch.cat([_unlearned_first(key, row[key]) for row in rows])[None] for key in rows[0]
        }
        batch["position_ids"] = torch.cat([torch.arange(length) for length in lengths])[None]
        batch["use_cache"] = False
        batch[COUNTED] = counted_positions(batch["labels"])
        return {**batch, **segments(lengths)} if self.segments else batch


def segments(lengths: Sequence[int]) -> dict[str, Any]:
    """Where texts of these lengths begin and end in a row, as FlashAttention wants to know it."""
    ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    longest = max(lengths)
    return {
        "cu_seq_lens_q": ends,
        "cu_seq_lens_k": ends,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def _unlearned_first(key: str, values: Tensor) -> Tensor:
    if key == "labels":
        return torch.cat([values.new_tensor([IGNORED]), values[1:]])
    if key == COMPARED:
        return torch.cat([values.new_tensor([False]), values[1:]])
    return values
