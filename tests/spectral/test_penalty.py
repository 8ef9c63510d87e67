from __future__ import annotations

import math

import pytest
import torch

from flextune.spectral.penalty import (
    Count,
    FourierPenalty,
    Norm,
    fourier_penalty,
    penalty_and_gradient,
    penalty_gradient,
    weights,
)

NORMS: tuple[Norm, ...] = ("ortho", "backward")
LENGTHS = (1, 2, 3, 4, 7, 16, 33, 60)


def signal(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


@pytest.mark.parametrize("count", ["bins", "entries"])
def test_weights_follow_the_formula(count: Count) -> None:
    length, cutoff, low, high = 11, 0.5, 0.9, 0.2
    total = 6 if count == "bins" else 11
    expected = [1 - (low + (high - low) * min(1, k / (total * cutoff))) for k in range(6)]
    assert weights(length, cutoff, low, high, count).tolist() == pytest.approx(expected, abs=1e-15)


def test_the_two_readings_of_the_length_end_the_ramp_at_nyquist_and_half_of_it() -> None:
    bins, entries = (weights(4096, 0.5, 1.0, 0.1, count) for count in ("bins", "entries"))
    assert bins.mean().item() == pytest.approx(0.675, abs=1e-3)
    assert entries.mean().item() == pytest.approx(0.45, abs=1e-3)
    assert bins[0] == entries[0] == 0


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("length", LENGTHS)
def test_gradient_equals_autograd_in_float64(length: int, norm: Norm) -> None:
    w = signal(length).requires_grad_()
    rho = weights(length, 0.4, 0.95, 0.1)
    (expected,) = torch.autograd.grad(fourier_penalty(w, rho, norm), w)
    torch.testing.assert_close(penalty_gradient(w, rho, norm), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("length", LENGTHS)
def test_value_equals_the_sum_written_out(length: int, norm: Norm) -> None:
    w, rho = signal(length), weights(length, 0.5, 1.0, 0.1)
    expected = 0.0
    for k in range(length // 2 + 1):
        angles = 2 * math.pi * k * torch.arange(length, dtype=torch.float64) / length
        expected += rho[k].item() * ((w * angles.cos()).sum() ** 2 + (w * angles.sin()).sum() ** 2).item()
    expected /= length if norm == "ortho" else 1
    assert fourier_penalty(w, rho, norm).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_batch_equals_one_matrix_at_a_time(norm: Norm) -> None:
    batch, rho = signal(3, 4, 5), weights(20, 0.5, 1.0, 0.1)
    value, gradient = penalty_and_gradient(batch, rho, norm)
    assert value.item() == pytest.approx(sum(fourier_penalty(w, rho, norm).item() for w in batch), rel=1e-13)
    for w, part in zip(batch, gradient, strict=True):
        torch.testing.assert_close(part, penalty_gradient(w, rho, norm), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("length", [15, 16])
def test_equal_weights_give_the_two_sided_energy_by_parseval(length: int) -> None:
    # A tiny cutoff with high = 0 makes rho 1 above DC, where rfft holds half of the two-sided energy.
    w = signal(length)
    w -= w.mean()
    rho = weights(length, 1e-9, 1.0, 0.0)
    nyquist = (
        (w * torch.tensor([1.0, -1.0] * (length // 2), dtype=w.dtype)).sum() ** 2 / length
        if length % 2 == 0
        else 0
    )
    expected = (w.square().sum() + nyquist) / 2
    assert fourier_penalty(w, rho).item() == pytest.approx(float(expected), rel=1e-12)


def test_constant_is_free_and_costs_its_energy_where_dc_is_weighted() -> None:
    w = torch.full((12,), 3.0, dtype=torch.float64)
    assert fourier_penalty(w, weights(12, 0.5, 1.0, 0.1)).item() == pytest.approx(0, abs=1e-20)
    assert fourier_penalty(w, weights(12, 0.5, 0.25, 0.1)).item() == pytest.approx(0.75 * 9 * 12, rel=1e-12)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_cosine_meets_the_weight_of_its_own_frequency(k: int) -> None:
    length = 12
    w = torch.cos(2 * math.pi * k * torch.arange(length, dtype=torch.float64) / length)
    rho = weights(length, 0.5, 1.0, 0.1)
    # |rfft|^2 is (n / 2)^2 inside and n^2 at Nyquist.
    power = length**2 if k == length // 2 else length**2 / 4
    assert fourier_penalty(w, rho, "backward").item() == pytest.approx(rho[k].item() * power, rel=1e-12)
    assert fourier_penalty(w, rho, "ortho").item() == pytest.approx(rho[k].item() * power / length, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    w, rho = signal(3, 7, dtype=torch.float32).to(dtype), weights(21, 0.5, 1.0, 0.1)
    assert penalty_gradient(w, rho).dtype == torch.float32
    torch.testing.assert_close(penalty_gradient(w, rho), penalty_gradient(w.float(), rho), rtol=0, atol=0)
    assert fourier_penalty(w, rho).item() == fourier_penalty(w.float(), rho).item()


def test_zero_matrix_has_no_penalty_and_no_gradient() -> None:
    value, gradient = penalty_and_gradient(torch.zeros(2, 3, 4), weights(12, 0.5, 1.0, 0.1))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("norm", NORMS)
def test_set_of_matrices_equals_autograd_of_their_sum(norm: Norm) -> None:
    penalty = FourierPenalty(norm=norm)
    shapes = [(2, 5), (5, 2), (2, 5), (3, 3), (5, 2)]
    matrices = [(signal(*shape) + i).requires_grad_() for i, shape in enumerate(shapes)]
    total = penalty.value(matrices)
    expected = torch.autograd.grad(total, matrices)
    value, gradients = penalty.value_and_gradients(matrices)
    assert value.item() == pytest.approx(total.item(), rel=1e-13)
    for gradient, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutoff": 0}, "cutoff 0"),
        ({"low": 1.5}, "low 1.5"),
        ({"high": -0.1}, "high -0.1"),
        ({"cutoff": math.nan}, "cutoff nan"),
    ],
)
def test_numbers_out_of_range_are_named(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FourierPenalty(**options)
