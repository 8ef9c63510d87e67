"""Power spectra of LoRA matrices, each beside the same entries in random order.

Without that null a spectrum means nothing: a matrix of independent entries has a flat one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

_MARKS = {".lora_A.": "A", ".lora_B.": "B"}


def adapter_spectrum(state: Mapping[str, Tensor], *, bins: int = 64, seed: int = 0) -> list[dict[str, Any]]:
    """One row per LoRA matrix of an adapter.

    Args:
        state: PEFT's names to tensors; what is no ``lora_A`` or ``lora_B`` is passed over.
        bins: Points of a spectrum at most.
        seed: Of the permutation behind the null.

    Returns:
        JSON-ready rows: ``name`` (the module), ``factor`` (A or B), ``power`` (``mean_power``),
        ``high_share`` and ``null_high_share`` (``high_share`` of the matrix and of its permutation, None
        for a zero matrix, whose share is undefined).

    Raises:
        ValueError: No LoRA matrix, or one with NaN or infinity; names it.
    """
    rows = []
    for key, tensor in state.items():
        mark = next((mark for mark in _MARKS if mark in key), None)
        if mark is None:
            continue
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{key}: holds NaN or infinity")
        name = key.split(mark)[0].removeprefix("base_model.model.")
        flat = tensor.detach().to("cpu", torch.float64).flatten()
        generator = torch.Generator().manual_seed(seed)
        permuted = flat[torch.randperm(len(flat), generator=generator)]
        rows.append(
            {
                "name": name,
                "factor": _MARKS[mark],
                "power": mean_power(flat, bins).tolist(),
                "high_share": high_share(flat),
                "null_high_share": high_share(permuted),
            }
        )
    if not rows:
        raise ValueError("no LoRA matrix found (no name holds .lora_A. or .lora_B.)")
    return rows


def mean_power(signal: Tensor, bins: int = 64) -> Tensor:
    """Mean of ``|rfft(signal)|^2`` (norm "ortho") over equal ranges of frequency, from 0 to Nyquist.

    White noise of variance v has v everywhere.

    Args:
        signal: Shape ``(n,)``.
        bins: Points at most; a short signal has ``n // 2 + 1``.
    """
    power = torch.fft.rfft(signal, norm="ortho").abs().square()
    return torch.stack([part.mean() for part in power.tensor_split(min(bins, len(power)))])


def high_share(signal: Tensor) -> float | None:
    """Share of a real signal's energy above half of Nyquist, both signs of frequency counted.

    Returns:
        In [0, 1]; None for a zero signal.
    """
    length = len(signal)
    energy = torch.fft.rfft(signal, norm="ortho").abs().square()
    # rfft holds each frequency but DC and, for even lengths, Nyquist for its conjugate too.
    energy[1 : (length + 1) // 2] *= 2
    total = energy.sum().item()
    if total == 0:
        return None
    first = math.floor(length / 4) + 1
    return energy[first:].sum().item() / total
