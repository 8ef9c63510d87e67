"""A causal model's loss from logits of the positions that count, and of no others."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from flextune.models.encoding import IGNORED
from flextune.models.whole import base_of


def keeps_logits(model: Any) -> bool:
    """Whether a model's forward computes only the logits that it is asked for."""
    return "logits_to_keep" in inspect.signature(base_of(model).forward).parameters


def counted_loss(
    logits: Tensor, labels: Tensor, positions: Tensor, items: Tensor | int | None = None
) -> Tensor:
    """Cross entropy over labels that are not -100, computed in float32.

    Args:
        logits: At ``positions``, shape ``(rows, positions, vocabulary)``.
        labels: Of all tokens, shape ``(rows, tokens)``, not shifted.
        positions: See ``counted_positions``.
        items: What the sum is divided by; None: the number of labels that count.
    """
    targets = counted_targets(labels, positions)
    wide = logits.reshape(-1, logits.shape[-1])
    if wide.dtype != torch.float64:
        wide = wide.float()
    total = torch.nn.functional.cross_entropy(wide, targets, ignore_index=IGNORED, reduction="sum")
    return total / divisor(targets, items)


def counted_targets(labels: Tensor, positions: Tensor) -> Tensor:
    """What the logits at ``positions`` are to predict, shape ``(rows x positions,)``."""
    return labels[:, positions + 1].reshape(-1)


def divisor(targets: Tensor, items: Tensor | int | None) -> Tensor | int:
    """What a sum over targets is divided by: ``items``, or the number of those that count."""
    return targets.ne(IGNORED).sum() if items is None else items
