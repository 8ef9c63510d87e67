"""Drawing tokens so that a row's draws depend on nothing but its own seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from flextune.generation.local.loop import Choose
from flextune.records import Problem


def row_seed(seed: int, problem: Problem, sample: int) -> int:
    """64-bit seed of one answer: a hash of the run's seed, what names the problem, and the sample."""
    key = [seed, problem.benchmark, problem.language, problem.lexicon, problem.name, sample]
    return int.from_bytes(hashlib.sha256(json.dumps(key).encode()).digest()[:8], "big")


def uniforms(seeds: Sequence[int], tokens: int) -> Tensor:
    """One number in [0, 1) for every token of every row, shape ``(rows, tokens)``, float64.

    A row's numbers are fixed before decoding starts, so neighbours, devices and restarts change none.
    """
    rows = [np.random.Generator(np.random.PCG64(seed)).random(tokens) for seed in seeds]
    return torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, tokens, dtype=torch.float64)


def sampler(temperature: float, top_p: float, numbers: Tensor) -> Choose:
    """Temperature, then top-p, as ``generate`` orders them, then one draw a row.

    Args:
        temperature: Divides the logits.
        top_p: Smallest probability mass that stays.
        numbers: From ``uniforms``, on the model's device.
    """
    warp = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
    if top_p < 1:
        warp.append(TopPLogitsWarper(top_p))

    def choose(logits: Tensor, rows: Tensor, step: int) -> Tensor:
        return draw(warp(None, logits), numbers[rows, step])

    return choose


def draw(scores: Tensor, uniform: Tensor) -> Tensor:
    """Sample one token a row by inverting the distribution function.

    One number a token, where the Gumbel-max trick needs one for every entry of the vocabulary.

    Args:
        scores: Shape ``(rows, vocabulary)``; ``-inf`` is never drawn.
        uniform: Shape ``(rows,)``, float64 in [0, 1).

    Returns:
        Token ids, shape ``(rows,)``, distributed as ``softmax(scores)``.
    """
    cumulative = torch.softmax(scores.double(), dim=-1).cumsum(-1)
    total = cumulative[:, -1:]
    # Rounding must not carry the target up to the total: no entry lies behind it.
    target = torch.minimum(uniform[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    tokens = torch.searchsorted(cumulative, target, right=True)[:, 0]
    # NaN compares with nothing and would give an id past the vocabulary; the loop reports it.
    return tokens.clamp(max=scores.shape[-1] - 1)
