"""Which answers are decoded together: fixed by the whole list of work, so that a restart changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from flextune.records import Problem

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to give.

    Attributes:
        problem: What to answer.
        sample: Number of the answer within the problem.
        prompt: Token ids.
        max_new_tokens: New tokens that fit; 0 when the prompt fills the context.
    """

    problem: Problem
    sample: int
    prompt: tuple[int, ...]
    max_new_tokens: int

    @property
    def key(self) -> tuple[str, int]:
        """What a finished answer is known by."""
        return self.problem.name, self.sample


def plan_batches(items: Sequence[Item], size: int, *, equal_lengths: bool = False) -> list[list[Item]]:
    """Neighbours in length share a batch, the longest first, so that memory runs out early or never.

    Args:
        items: All answers of a run, also those that are there already.
        size: Answers in a batch, at most.
        equal_lengths: Only prompts of one length share a batch, so that none is padded.
    """
    ordered = sorted(items, key=lambda item: -len(item.prompt))
    groups = [ordered]
    if equal_lengths:
        groups = [list(group) for _, group in groupby(ordered, key=lambda item: len(item.prompt))]
    return [group[start : start + size] for group in groups for start in range(0, len(group), size)]


def context_length(config: PreTrainedConfig) -> int | None:
    """Tokens that a model can attend to, where its configuration says so."""
    return getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)


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
