"""An adapter's spectra beside what the same numbers are without structure.

Two nulls, each drawn several times. ``permuted`` keeps what the penalty should not care about: of A and B
the entries, in random order; of the update its singular values, with inputs and outputs in random
order. ``noise`` keeps the norm alone: Gaussian factors as long as A and B, and their update as long as
the adapter's. Neurons have no natural order, so a spectrum within its ``permuted`` band says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from flextune.spectral.comparison import Comparison, Draws
from flextune.spectral.form import multiplicity
from flextune.spectral.pairs import LoraPair, require_finite, require_real
from flextune.spectral.spectrum import (
    as_float64,
    binned,
    effective_rank,
    energy_by_frequency,
    energy_share,
    factor_singular_values,
    singular_values,
    spectral_entropy,
    stable_rank,
    update_energy,
)


class _View(NamedTuple):
    """One spectrum of one matrix, and its numbers."""

    factor: str
    axis: str
    level: float
    power: Tensor
    numbers: Tensor


def compare_with_nulls(
    pairs: Sequence[LoraPair], generator: torch.Generator, *, draws: int = 20, bins: int = 64
) -> list[dict[str, Any]]:
    """``compare`` for each pair, as JSON-ready rows.

    Returns:
        Rows with ``name``, ``factor``, ``axis``, ``power`` (noise of variance v has v), ``high_share``,
        ``entropy``, ``stable_rank``, ``effective_rank``, and ``permuted`` and ``noise``, which hold for
        ``power`` and each number ``mean``, ``low`` and ``high`` (the 5 % and 95 % quantiles).

    Raises:
        ValueError: No pair, or as ``compare``.
    """
    if not pairs:
        raise ValueError("no LoRA matrix found")
    return [found.row() for pair in pairs for found in compare(pair, generator, draws=draws, bins=bins)]


def compare(
    pair: LoraPair, generator: torch.Generator, *, draws: int = 20, bins: int = 64
) -> list[Comparison]:
    """Four spectra: A and B flattened row by row, the update along its inputs and along its outputs.

    Takes time and memory as the factors do; no matrix of the update's size is formed.

    Args:
        pair: Of a mixture's experts, A and B alone are compared.
        generator: On the CPU; decides every draw.
        draws: Per null.
        bins: Points of a spectrum at most.

    Raises:
        ValueError: Fewer than one draw, or a tensor without a spectrum, by its name.
    """
    if draws < 1:
        raise ValueError(f"draws {draws}: a null needs at least one")
    for factor, matrix in pair.factors():
        require_real(f"{pair.name} (lora_{factor})", matrix)
        require_finite(f"{pair.name} (lora_{factor})", matrix)
    pair = replace(pair, a=as_float64(pair.a), b=as_float64(pair.b))
    drawn = {
        null: [tuple(views(pair, generator, bins)) for _ in range(draws)] for null, views in _DRAW.items()
    }
    return [
        Comparison(
            name=pair.name,
            **view._asdict(),
            nulls={null: _stacked([views[index] for views in found]) for null, found in drawn.items()},
        )
        for index, view in enumerate(_views(pair, bins))
    ]


def _views(pair: LoraPair, bins: int) -> Iterator[_View]:
    yield from _factor_views(pair, bins)
    if pair.experts == 1:
        yield from _update_views(pair, bins)


def _factor_views(pair: LoraPair, bins: int) -> Iterator[_View]:
    for factor, matrix in pair.factors():
        energy = energy_by_frequency(matrix.flatten())
        yield _view(factor, "row", energy, matrix.numel(), 1, factor_singular_values(matrix), bins)


def _update_views(pair: LoraPair, bins: int) -> Iterator[_View]:
    values = singular_values(pair)
    inputs, outputs = pair.a.shape[1], pair.b.shape[0]
    along_inputs, along_outputs = update_energy(pair)
    yield _view("update", "input", along_inputs, inputs, outputs, values, bins)
    yield _view("update", "output", along_outputs, outputs, inputs, values, bins)


def _view(
    factor: str, axis: str, energy: Tensor, length: int, signals: int, values: Tensor, bins: int
) -> _View:
    """``signals`` is over how many vectors of ``length`` the energy was added up."""
    numbers = (
        energy_share(energy, length),
        spectral_entropy(energy),
        stable_rank(values),
        effective_rank(values),
    )
    known = torch.tensor([math.nan if n is None else n for n in numbers], dtype=torch.float64)
    level = energy.sum().item() / (length * signals)
    return _View(factor, axis, level, binned(energy / multiplicity(length) / signals, bins), known)


def _permuted_views(pair: LoraPair, generator: torch.Generator, bins: int) -> Iterator[_View]:
    """The factors with their entries in random order; the update with its inputs and outputs so."""
    a, b = (
        matrix.flatten()[_order(matrix.numel(), generator)].view_as(matrix) for _, matrix in pair.factors()
    )
    yield from _factor_views(replace(pair, a=a, b=b), bins)
    if pair.experts == 1:
        inputs, outputs = (_order(size, generator) for size in (pair.a.shape[1], pair.b.shape[0]))
        yield from _update_views(replace(pair, a=pair.a[:, inputs], b=pair.b[outputs]), bins)


def _noise_views(pair: LoraPair, generator: torch.Generator, bins: int) -> Iterator[_View]:
    a, b = (_gaussian(matrix, generator) for _, matrix in pair.factors())
    noise = replace(pair, a=a, b=b)
    if pair.experts == 1:
        wanted, given = (singular_values(each).norm().item() for each in (pair, noise))
        noise = replace(noise, scale=pair.scale * wanted / given) if given else noise
    yield from _views(noise, bins)


_DRAW = {"permuted": _permuted_views, "noise": _noise_views}


def _order(size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(size, generator=generator, device="cpu")


def _gaussian(matrix: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(matrix.shape, generator=generator, dtype=torch.float64, device="cpu")
    return drawn * (matrix.norm() / drawn.norm())


def _stacked(views: Sequence[_View]) -> Draws:
    return Draws(torch.stack([view.power for view in views]), torch.stack([view.numbers for view in views]))
