"""The penalties written out from their definitions, in numpy, term by term."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from flextune.spectral.form import PenaltyForm, mask
from flextune.spectral.pairs import LoraPair


def phi(k: int, length: int, form: PenaltyForm) -> float:
    counted = length // 2 + 1 if form.cutoff_of == "bins" else length
    return form.low + (form.high - form.low) * min(1.0, k / (counted * form.cutoff))


def fourier(w: np.ndarray, form: PenaltyForm, *, reverse: bool = False) -> float:
    """The sum over frequencies; two-sided ones fold to the distance from 0."""
    n = len(w)
    power = np.abs(np.fft.fft(w)) ** 2 / (n if form.norm == "ortho" else 1)
    last = n // 2
    total = 0.0
    for k in range(n if not form.onesided else last + 1):
        folded = min(k, n - k)
        total += (1 - phi(last - folded if reverse else folded, n, form)) * power[k]
    return total


def trace(length: int, form: PenaltyForm, *, reverse: bool = False) -> float:
    """The penalties of the unit vectors, added up."""
    return sum(fourier(unit, form, reverse=reverse) for unit in np.eye(length))


def vector_penalty(w: np.ndarray, form: PenaltyForm) -> float:
    n = len(w)
    if form.kind == "l2":
        return trace(n, form) / n * float(w @ w)
    if form.kind == "permuted":
        order = torch.randperm(n, generator=torch.Generator().manual_seed(form.seed)).numpy()
        return fourier(w[order], form)
    if form.kind == "reversed":
        changed = trace(n, form, reverse=True)
        return fourier(w, form, reverse=True) * (trace(n, form) / changed if changed else 1)
    return fourier(w, form)


def update_penalty(pair: LoraPair, form: PenaltyForm) -> float:
    """On the dense update."""
    dense = pair.scale * pair.b.detach().numpy() @ pair.a.detach().numpy()
    m, n = dense.shape
    power = np.abs(np.fft.fft2(dense)) ** 2 / (m * n if form.norm == "ortho" else 1)
    total = 0.0
    for k in range(m):
        for j in range(n):
            weight = 1 - phi(min(k, m - k), m, form) * phi(min(j, n - j), n, form)
            total += weight * power[k, j]
    return total


def vectors(matrix: np.ndarray, factor: str, form: PenaltyForm) -> list[np.ndarray]:
    if form.flatten == "row":
        return [matrix.ravel(order="C")]
    if form.flatten == "column":
        return [matrix.ravel(order="F")]
    return list(matrix if factor == "A" else matrix.T)


def penalty(pairs: Sequence[LoraPair], form: PenaltyForm) -> float:
    if form.kind == "update":
        values = [update_penalty(pair, form) for pair in pairs]
    else:
        values = [
            sum(vector_penalty(w, form) for w in vectors(matrix.detach().numpy(), factor, form))
            for pair in pairs
            for factor, matrix in pair.factors()
            if form.target in ("both", factor)
        ]
    return sum(values) / (len(values) if form.reduction == "mean" else 1)


def random_pair(
    inputs: int,
    outputs: int,
    rank: int,
    *,
    seed: int = 0,
    scale: float = 2.0,
    dtype: torch.dtype = torch.float64,
) -> LoraPair:
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(rank, inputs, generator=generator, dtype=torch.float64).to(dtype)
    b = torch.randn(outputs, rank, generator=generator, dtype=torch.float64).to(dtype)
    return LoraPair(a.requires_grad_(), b.requires_grad_(), scale, f"layer{seed}")


def dense_penalty(update: torch.Tensor, form: PenaltyForm) -> torch.Tensor:
    """From the two-dimensional transform of the dense update, with full masks."""
    m, n = update.shape
    rows, columns = (mask(size, form)[[min(k, size - k) for k in range(size)]] for size in (m, n))
    weight = 1 - rows[:, None] * columns[None, :]
    return (weight * torch.fft.fft2(update, norm=form.norm).abs().square()).sum()
