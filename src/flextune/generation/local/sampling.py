"""Drawing tokens so that a row's draws depend on nothing but its own seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

#: The likeliest tokens among which a nucleus is looked for before the whole vocabulary is sorted.
_LIKELIEST = 64


def uniforms(seeds: Sequence[int], tokens: int) -> Tensor:
    """One number in [0, 1) for every token of every row, shape ``(rows, tokens)``, float64.

    A row's numbers are fixed before decoding starts, so neighbours, devices and restarts change none.
    """
    rows = [np.random.Generator(np.random.PCG64(seed)).random(tokens) for seed in seeds]
    return torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, tokens, dtype=torch.float64)


def penalize_repetition(logits: Tensor, seen: Tensor, penalty: Tensor) -> Tensor:
    """Make tokens that a text already holds less likely (arXiv:1909.05858, section 4.1).

    Args:
        logits: Shape ``(rows, vocabulary)``.
        seen: Tokens of prompt and answer so far, bool, of the same shape.
        penalty: Shape ``(rows,)``; positive logits are divided by it, negative ones multiplied.
    """
    factor = penalty[:, None]
    return torch.where(seen, torch.where(logits < 0, logits * factor, logits / factor), logits)


def keep_top_k(scores: Tensor, top_k: Tensor) -> Tensor:
    """``-inf`` for all but the ``top_k`` largest scores of a row (and what equals the last of them).

    Args:
        scores: Shape ``(rows, vocabulary)``.
        top_k: Shape ``(rows,)``; 0 keeps all.
    """
    vocabulary = scores.shape[-1]
    counts = torch.where(top_k > 0, top_k, vocabulary).clamp(max=vocabulary)
    largest = scores.topk(int(counts.max()), dim=-1).values
    least = largest.gather(-1, counts[:, None] - 1)
    return scores.masked_fill(scores < least, -torch.inf)


def keep_top_p(probabilities: Tensor, top_p: Tensor) -> Tensor:
    """0 for all but the smallest set of tokens whose mass reaches ``top_p`` (arXiv:1904.09751, section 3.1).

    Args:
        probabilities: Shape ``(rows, vocabulary)``, float64; rows sum to 1.
        top_p: Shape ``(rows,)``, in (0, 1]; 1 keeps all.
    """
    likeliest = min(_LIKELIEST, probabilities.shape[-1])
    least = _last_of_nucleus(probabilities.topk(likeliest, dim=-1).values, top_p)
    if bool((least.isnan() & (top_p < 1)).any()):
        least = _last_of_nucleus(probabilities.sort(dim=-1, descending=True).values, top_p)
    # A mass that rounding keeps below ``top_p`` has no last token: all are kept.
    least = torch.where((top_p < 1) & ~least.isnan(), least, 0.0)
    return torch.where(probabilities < least[:, None], 0.0, probabilities)


def _last_of_nucleus(descending: Tensor, top_p: Tensor) -> Tensor:
    """Probability of the token with which each row's mass reaches ``top_p``; nan where it does not."""
    reached = descending.cumsum(-1) >= top_p[:, None]
    first = reached.int().argmax(-1, keepdim=True)
    return torch.where(reached.any(-1), descending.gather(-1, first)[:, 0], torch.nan)


def keep_min_p(probabilities: Tensor, min_p: Tensor) -> Tensor:
    """0 for tokens less likely than ``min_p`` times the likeliest (arXiv:2407.01082)."""
    least = min_p[:, None] * probabilities.amax(-1, keepdim=True)
    return torch.where(probabilities < least, 0.0, probabilities)


def draw(weights: Tensor, uniform: Tensor) -> Tensor:
    """Sample one token a row by inverting the distribution function.

    One number a token, where the Gumbel-max trick needs one for every entry of the vocabulary.

    Args:
        weights: Shape ``(rows, vocabulary)``, float64, not negative; what is 0 is never drawn.
        uniform: Shape ``(rows,)``, float64 in [0, 1).

    Returns:
        Token ids, shape ``(rows,)``, with probabilities proportional to ``weights``.
    """
    cumulative = weights.cumsum(-1)
    total = cumulative[:, -1:]
    # Rounding must not carry the target up to the total: no entry lies behind it.
    target = torch.minimum(uniform[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    tokens = torch.searchsorted(cumulative, target, right=True)[:, 0]
    # NaN compares with nothing and would give an id past the vocabulary; the loop reports it.
    return tokens.clamp(max=weights.shape[-1] - 1)
