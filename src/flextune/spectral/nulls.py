"""An adapter's spectra beside what the same numbers are without structure.

Two nulls, each drawn several times. ``permuted`` keeps what the penalty should not care about: of A and B
the entries, in random order; of the update its singular values, with inputs and outputs in random
order. ``noise`` keeps the norm alone: Gaussian factors as long as A and B, and their update as long as
the adapter's. Neurons have no natural order, so a spectrum within its ``permuted`` band says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from flextune.spectral.form import multiplicity
from flextune.spectral.pairs import LoraPair, require_finite, require_real
from flextune.spectral.spectrum import (
    as_float64,
    binned,
    effective_rank,
    energy_by_frequency,
    energy_share,
    singular_values,
    spectral_entropy,
    stable_rank,
    update_energy,
)

#: Quantiles of the nulls' bands.
LOW, HIGH = 0.05, 0.95


class _View(NamedTuple):
    """One spectrum of one matrix, and its numbers."""

    factor: str
    axis: str
    power: Tensor
    numbers: dict[str, float | None]


def compare_with_nulls(
    pairs: Sequence[LoraPair], generator: torch.Generator, *, draws: int = 20, bins: int = 64
) -> list[dict[str, Any]]:
    """Four rows per pair: A and B flattened row by row, the update along its inputs and its outputs.

    Args:
        pairs: The adapter (of a mixture of experts A and B only).
        generator: On the CPU; decides every draw.
        draws: Per pair and null.
        bins: Points of a spectrum at most.

    Returns:
        JSON-ready rows: ``name``, ``factor`` (A, B, update), ``axis`` (row, input, output), ``power`` (mean
        power by frequency; noise of variance v has v), ``high_share``, ``entropy``, ``stable_rank``,
        ``effective_rank``, and ``permuted`` and ``noise``, which hold for ``power`` and each number
        ``mean``, ``low`` and ``high`` (the 5 % and 95 % quantiles). None where undefined.

    Raises:
        ValueError: Fewer than one draw, no pair, or a tensor without a spectrum, by its name.
    """
    if draws < 1:
        raise ValueError(f"draws {draws}: a null needs at least one")
    if not pairs:
        raise ValueError("no LoRA matrix found")
    rows = []
    for pair in pairs:
        for factor, matrix in pair.factors():
            require_real(f"{pair.name} (lora_{factor})", matrix)
            require_finite(f"{pair.name} (lora_{factor})", matrix)
        pair = replace(pair, a=as_float64(pair.a), b=as_float64(pair.b))
        views: list[tuple[Callable[..., Iterator[_View]], Callable[..., LoraPair]]]
        views = [(_factor_views, _entries_permuted)]
        if pair.experts == 1:
            views.append((_update_views, _order_permuted))
        for look, permute in views:
            permuted = [tuple(look(permute(pair, generator), bins)) for _ in range(draws)]
            noise = [tuple(look(_noise(pair, generator), bins)) for _ in range(draws)]
            for index, view in enumerate(look(pair, bins)):
                rows.append(
                    {
                        "name": pair.name,
                        "factor": view.factor,
                        "axis": view.axis,
                        "power": view.power.tolist(),
                        **view.numbers,
                        "permuted": _band([draw[index] for draw in permuted]),
                        "noise": _band([draw[index] for draw in noise]),
                    }
                )
    return rows


def _factor_views(pair: LoraPair, bins: int) -> Iterator[_View]:
    for factor, matrix in pair.factors():
        energy = energy_by_frequency(matrix.flatten())
        values = torch.linalg.svdvals(matrix)
        yield _view(factor, "row", energy, matrix.numel(), 1, values, bins)


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
    numbers = {
        "high_share": energy_share(energy, length),
        "entropy": spectral_entropy(energy),
        "stable_rank": stable_rank(values),
        "effective_rank": effective_rank(values),
    }
    return _View(factor, axis, binned(energy / multiplicity(length) / signals, bins), numbers)


def _entries_permuted(pair: LoraPair, generator: torch.Generator) -> LoraPair:
    a, b = (
        matrix.flatten()[_order(matrix.numel(), generator)].view_as(matrix) for _, matrix in pair.factors()
    )
    return replace(pair, a=a, b=b)


def _order_permuted(pair: LoraPair, generator: torch.Generator) -> LoraPair:
    inputs, outputs = (_order(size, generator) for size in (pair.a.shape[1], pair.b.shape[0]))
    return replace(pair, a=pair.a[:, inputs], b=pair.b[outputs])


def _order(size: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(size, generator=generator, device="cpu")


def _noise(pair: LoraPair, generator: torch.Generator) -> LoraPair:
    a, b = (_gaussian(matrix, generator) for _, matrix in pair.factors())
    noise = replace(pair, a=a, b=b)
    wanted, given = (singular_values(each).norm().item() for each in (pair, noise))
    return replace(noise, scale=pair.scale * wanted / given) if given else noise


def _gaussian(matrix: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(matrix.shape, generator=generator, dtype=torch.float64, device="cpu")
    return drawn * (matrix.norm() / drawn.norm())


def _band(views: Sequence[_View]) -> dict[str, Any]:
    """Mean and quantiles of the power and of each number over the draws."""
    stacked = torch.stack([view.power for view in views])
    low, high = (torch.quantile(stacked, q, dim=0).tolist() for q in (LOW, HIGH))
    band: dict[str, Any] = {"power": {"mean": stacked.mean(0).tolist(), "low": low, "high": high}}
    for name in views[0].numbers:
        drawn = [value for view in views if (value := view.numbers[name]) is not None]
        if len(drawn) < len(views):
            band[name] = None
            continue
        values = torch.tensor(drawn, dtype=torch.float64)
        low, high = (torch.quantile(values, q).item() for q in (LOW, HIGH))
        band[name] = {"mean": values.mean().item(), "low": low, "high": high}
    return band
