"""Answers to be given, and how many of them fit side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from flextune.config import DecodeConfig
from flextune.generation.engine import Prompt
from flextune.generation.local.healing import Healed
from flextune.records import Problem

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


_NOTHING = Prompt()


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to give.

    Attributes:
        request: Place of its request among those asked together.
        problem: What to answer.
        sample: Number of the answer within the problem.
        prompt: Token ids.
        max_new_tokens: New tokens that fit; 0 when the prompt fills the context.
        decode: How to decode.
        seed: Of its draws.
        posed: What the model is given.
        healed: What of the prompt's end is decoded again; None: nothing.
        ends: Ids that end this answer, beside those that end any.
    """

    request: int
    problem: Problem
    sample: int
    prompt: tuple[int, ...]
    max_new_tokens: int
    decode: DecodeConfig
    seed: int = 0
    posed: Prompt = _NOTHING
    healed: Healed | None = None
    ends: frozenset[int] = frozenset()

    @property
    def key(self) -> tuple[str, int]:
        """What a finished answer is known by within its request."""
        return self.problem.name, self.sample

    @property
    def tokens(self) -> int:
        """Tokens of prompt and answer at most."""
        return len(self.prompt) + self.max_new_tokens


def longest_first(rows: Sequence[Row]) -> list[Row]:
    """Neighbours in length side by side, the longest first, so that memory runs out early or never.

    Rows with the same prompt stand together, whatever their request.
    """
    return sorted(rows, key=lambda row: (-len(row.prompt), row.prompt))


def plan_batches(rows: Sequence[Row], size: int, *, equal_lengths: bool = False) -> list[list[Row]]:
    """Fixed batches for models that are decoded batch by batch.

    Args:
        rows: All answers of a request, also those that are there: so a restart finds the same batches.
        size: Answers in a batch, at most.
        equal_lengths: Only prompts of one length share a batch, so that none is padded.
    """
    ordered = sorted(rows, key=lambda row: -len(row.prompt))
    groups = [ordered]
    if equal_lengths:
        groups = [list(group) for _, group in groupby(ordered, key=lambda row: len(row.prompt))]
    return [group[start : start + size] for group in groups for start in range(0, len(group), size)]


def context_length(config: PreTrainedConfig) -> int | None:
    """Tokens that a model can attend to, where its configuration says so."""
    return getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)


def vocabulary_size(model: PreTrainedModel) -> int:
    """Logits that a model computes for a token."""
    head = model.get_output_embeddings()
    if head is not None:
        return int(head.weight.shape[0])
    return int(model.config.get_text_config(decoder=True).vocab_size)


def left_pad(prompts: Sequence[Sequence[int]], filler: int) -> tuple[Tensor, Tensor]:
    """Prompts that end together.

    Args:
        prompts: Token ids; at least one row, none empty.
        filler: Any id; the mask hides it.

    Returns:
        Ids and mask (1 for a token, 0 for filler), each of shape ``(rows, longest)``.
    """
    width = max(len(prompt) for prompt in prompts)
    ids = [[filler] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)
