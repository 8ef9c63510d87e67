"""Power spectra of LoRA matrices and of their update, and numbers that sum them up.

A number alone means nothing (a matrix of independent entries has a flat spectrum and some rank): ``nulls``
puts each beside the same adapter in random order and beside noise. "Unknown" is None: a zero matrix
has no shares and no rank.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from flextune.spectral.form import multiplicity
from flextune.spectral.pairs import LoraPair, lora_pairs


def energy_by_frequency(signal: Tensor) -> Tensor:
    """``m_k |rfft(signal)_k|^2`` (norm "ortho"), both signs of frequency in one bin.

    Adds up to ``sum(signal^2)`` (Parseval).

    Args:
        signal: Shape ``(..., n)``, float64; leading dimensions are added up.
    """
    spectrum = torch.fft.rfft(signal, norm="ortho")
    energy = spectrum.real.square() + spectrum.imag.square()
    counts = multiplicity(signal.shape[-1]).to(signal.device)
    return (energy * counts).reshape(-1, energy.shape[-1]).sum(0)


def update_energy(pair: LoraPair) -> tuple[Tensor, Tensor]:
    """Energy of ``scale * B A`` by frequency along its inputs, and along its outputs.

    The sums of ``|fft2(U)|^2`` over the other dimension. With ``B = Q R`` and orthonormal Q, ``R A`` has as
    many rows as A and the same energy along the inputs; no dense update is formed.

    Returns:
        Shapes ``(in // 2 + 1,)`` and ``(out // 2 + 1,)``; each adds up to the update's squared norm.
    """
    a, b, core_a, core_b = _decomposed(pair)
    return energy_by_frequency(pair.scale * core_b @ a), energy_by_frequency(pair.scale * core_a @ b.mT)


def singular_values(pair: LoraPair) -> Tensor:
    """Of ``scale * B A``, from the r x r product of the factors' triangular parts; largest first."""
    _, _, core_a, core_b = _decomposed(pair)
    return pair.scale * torch.linalg.svdvals(core_b @ core_a.mT)


def factor_singular_values(matrix: Tensor) -> Tensor:
    """Of one factor, long and thin: those of its triangular part, several times faster; largest first."""
    rows, columns = matrix.shape
    return torch.linalg.svdvals(_triangular(matrix if rows >= columns else matrix.mT))


def mean_power(signal: Tensor, bins: int = 64) -> Tensor:
    """Mean of ``|rfft(signal)|^2`` (norm "ortho") over equal ranges of frequency, from 0 to Nyquist.

    White noise of variance v has v everywhere.

    Args:
        signal: Shape ``(n,)``.
        bins: Points at most; a short signal has ``n // 2 + 1``.
    """
    return binned(energy_by_frequency(signal) / multiplicity(len(signal)), bins)


def binned(power: Tensor, bins: int = 64) -> Tensor:
    """Means over equal ranges of the last dimension, or the values themselves where there are no more."""
    count = power.shape[-1]
    if count <= bins:
        return power
    # The first ranges are one longer where it does not divide evenly.
    sizes = count // bins + (torch.arange(bins) < count % bins).long()
    place = torch.arange(bins).repeat_interleave(sizes)
    return power.new_zeros(*power.shape[:-1], bins).index_add_(-1, place, power) / sizes


def high_share(signal: Tensor) -> float | None:
    """Share of a real signal's energy above half of Nyquist, both signs of frequency counted."""
    return energy_share(energy_by_frequency(signal), len(signal))


def energy_share(energy: Tensor, length: int) -> float | None:
    """Share of the energy above half of Nyquist.

    Args:
        energy: As ``energy_by_frequency`` gives it.
        length: Of the signal.

    Returns:
        In [0, 1]; None without energy.
    """
    total = energy.sum().item()
    return None if total == 0 else energy[math.floor(length / 4) + 1 :].sum().item() / total


def spectral_entropy(energy: Tensor) -> float | None:
    """``-sum p log p / log K`` of the shares p of energy over K bins.

    Returns:
        0 for a single frequency, 1 for an even spectrum (noise has less: its bins scatter); None without
        energy or with one bin.
    """
    total = energy.sum()
    if total == 0 or len(energy) < 2:
        return None
    return torch.special.entr(energy / total).sum().item() / math.log(len(energy))


def stable_rank(values: Tensor) -> float | None:
    """``sum sigma^2 / max sigma^2`` of singular values; None for a zero matrix."""
    largest = values.max().item()
    return None if largest == 0 else (values / largest).square().sum().item()


def effective_rank(values: Tensor) -> float | None:
    """``exp(-sum p log p)``, ``p = sigma / sum sigma`` (Roy and Vetterli, 2007); None for a zero matrix."""
    total = values.sum()
    return None if total == 0 else math.exp(torch.special.entr(values / total).sum().item())


def adapter_spectrum(state: Mapping[str, Tensor], *, bins: int = 64, seed: int = 0) -> list[dict[str, Any]]:
    """One row per LoRA matrix of an adapter, flattened row by row, beside one permutation of its entries.

    ``nulls.compare_with_nulls`` says more, and takes longer.

    Args:
        state: PEFT's names to tensors; what is no LoRA matrix is passed over.
        bins: Points of a spectrum at most.
        seed: Of the permutation behind the null.

    Returns:
        JSON-ready rows: ``name`` (the module), ``factor`` (A or B), ``power`` (``mean_power``),
        ``high_share`` and ``permuted_high_share`` (``high_share`` of the matrix and of its permutation).

    Raises:
        ValueError: As ``lora_pairs``.
    """
    rows = []
    for pair in lora_pairs(state):
        for factor, matrix in pair.factors():
            flat = as_float64(matrix).flatten()
            order = torch.randperm(len(flat), generator=torch.Generator("cpu").manual_seed(seed))
            rows.append(
                {
                    "name": pair.name,
                    "factor": factor,
                    "power": mean_power(flat, bins).tolist(),
                    "high_share": high_share(flat),
                    "permuted_high_share": high_share(flat[order]),
                }
            )
    return rows


def as_float64(matrix: Tensor) -> Tensor:
    """On the CPU, detached, as a matrix (a convolution's further dimensions are inputs)."""
    return matrix.detach().to("cpu", torch.float64).flatten(1)


def _decomposed(pair: LoraPair) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """a, b, and the triangular parts of their QR decompositions (of a transposed: ``a' = Q core_a'``...)."""
    a, b = as_float64(pair.a), as_float64(pair.b)
    return a, b, _triangular(a.mT), _triangular(b)


def _triangular(matrix: Tensor) -> Tensor:
    return torch.linalg.qr(matrix, mode="r").R
