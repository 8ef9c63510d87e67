from __future__ import annotations

import json
import math

import pytest
import torch
from tests.spectral.reference import random_pair

from flextune.spectral.pairs import LoraPair
from flextune.spectral.spectrum import (
    adapter_spectrum,
    effective_rank,
    energy_by_frequency,
    energy_share,
    high_share,
    mean_power,
    singular_values,
    spectral_entropy,
    stable_rank,
    update_energy,
)

KEY = "base_model.model.model.layers.0.mlp.up_proj.lora_{}.weight"


def cosine(length: int, k: int) -> torch.Tensor:
    return torch.cos(2 * math.pi * k * torch.arange(length, dtype=torch.float64) / length)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def state(a: torch.Tensor, b: torch.Tensor) -> dict[str, torch.Tensor]:
    return {KEY.format("A"): a, KEY.format("B"): b, "other.weight": a}


def test_cosine_has_power_at_its_frequency_only() -> None:
    power = mean_power(cosine(64, 5), bins=100)
    assert len(power) == 33
    assert power[5].item() == pytest.approx(16)
    assert power.sum().item() == pytest.approx(16)


def test_impulse_has_the_same_power_everywhere() -> None:
    impulse = torch.zeros(20, dtype=torch.float64)
    impulse[7] = 3
    assert mean_power(impulse).tolist() == pytest.approx([9 / 20] * 11)


def test_white_noise_has_its_variance_everywhere() -> None:
    power = mean_power(3 * noise(200_000))
    assert len(power) == 64
    assert ((power - 9).abs() < 1).all()


@pytest.mark.parametrize("length", [1, 2, 9, 10])
def test_energy_adds_up_to_the_squared_norm(length: int) -> None:
    signals = noise(3, length)
    assert energy_by_frequency(signals).sum().item() == pytest.approx(
        signals.square().sum().item(), rel=1e-13
    )


@pytest.mark.parametrize(("inputs", "outputs", "rank"), [(12, 7, 3), (9, 10, 2), (1, 4, 1), (5, 2, 4)])
def test_update_energy_is_that_of_the_dense_update(inputs: int, outputs: int, rank: int) -> None:
    pair = random_pair(inputs, outputs, rank, scale=1.7)
    dense = (1.7 * pair.b @ pair.a).detach()
    power = torch.fft.fft2(dense, norm="ortho").abs().square()
    for energy, full in zip(update_energy(pair), (power.sum(0), power.sum(1)), strict=True):
        size = len(full)
        folded = torch.zeros(size // 2 + 1, dtype=torch.float64)
        for k in range(size):
            folded[min(k, size - k)] += full[k]
        torch.testing.assert_close(energy, folded, rtol=1e-12, atol=1e-12)
    values = torch.linalg.svdvals(dense)[: len(singular_values(pair))]
    torch.testing.assert_close(singular_values(pair)[: len(values)], values, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("k", "share"), [(0, 0.0), (16, 0.0), (17, 1.0), (32, 1.0)])
def test_high_share_begins_above_half_of_nyquist(k: int, share: float) -> None:
    assert high_share(cosine(64, k)) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("length", [1001, 1000, 999, 998])
def test_high_share_counts_energy_as_the_full_transform_does(length: int) -> None:
    signal = noise(length)
    energy = torch.fft.fft(signal).abs().square()
    high = torch.fft.fftfreq(length, dtype=torch.float64).abs() > 0.25
    assert high_share(signal) == pytest.approx((energy[high].sum() / energy.sum()).item(), rel=1e-12)


def test_entropy_is_0_for_one_frequency_and_1_for_an_even_spectrum() -> None:
    assert spectral_entropy(energy_by_frequency(cosine(64, 5))) == pytest.approx(0, abs=1e-12)
    assert spectral_entropy(torch.full((9,), 0.3)) == pytest.approx(1, abs=1e-6)
    halves = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    assert spectral_entropy(halves) == pytest.approx(0.5, rel=1e-12)


def test_ranks_of_known_singular_values() -> None:
    even, uneven = torch.ones(5), torch.tensor([2.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    assert (stable_rank(even), effective_rank(even)) == pytest.approx((5, 5), rel=1e-6)
    assert stable_rank(uneven) == pytest.approx(6 / 4)
    assert effective_rank(uneven) == pytest.approx(2**1.5)  # shares 1/2, 1/4, 1/4: entropy 1.5 bits
    pair = random_pair(9, 8, 3)
    dense = (pair.b @ pair.a).detach()
    wanted = (dense.norm() / torch.linalg.matrix_norm(dense, 2)).square().item()
    assert stable_rank(singular_values(pair)) == pytest.approx(wanted, rel=1e-10)


def test_numbers_of_a_zero_matrix_are_unknown() -> None:
    zeros = torch.zeros(6, dtype=torch.float64)
    assert high_share(zeros) is None
    assert energy_share(zeros, 11) is None
    assert spectral_entropy(zeros) is None
    assert spectral_entropy(torch.ones(1)) is None
    assert stable_rank(zeros) is None
    assert effective_rank(zeros) is None
    assert not singular_values(LoraPair(torch.zeros(2, 5), torch.ones(4, 2))).any()


def test_smooth_matrix_differs_from_its_null_and_noise_does_not() -> None:
    smooth = (cosine(4096, 3) + 0.5 * cosine(4096, 7)).reshape(8, 512)
    rows = adapter_spectrum(state(smooth, noise(512, 8)))
    assert [(row["name"], row["factor"]) for row in rows] == [
        ("model.layers.0.mlp.up_proj", "A"),
        ("model.layers.0.mlp.up_proj", "B"),
    ]
    assert rows[0]["high_share"] < 1e-6
    assert rows[0]["permuted_high_share"] == pytest.approx(0.5, abs=0.05)
    assert rows[1]["high_share"] == pytest.approx(0.5, abs=0.05)
    assert json.loads(json.dumps(rows)) == rows


def test_share_of_an_untrained_matrix_is_unknown() -> None:
    row = adapter_spectrum(state(noise(2, 4), torch.zeros(3, 2, dtype=torch.bfloat16)))[1]
    assert row["high_share"] is None
    assert row["permuted_high_share"] is None
    assert row["power"] == [0.0] * 4


def test_permutation_is_reproducible() -> None:
    tensors = state(noise(4, 9), noise(5, 4))
    assert adapter_spectrum(tensors, seed=1) == adapter_spectrum(tensors, seed=1)
    assert adapter_spectrum(tensors, seed=1) != adapter_spectrum(tensors, seed=2)


def test_nothing_to_show_and_broken_tensors_are_errors() -> None:
    with pytest.raises(ValueError, match="no LoRA matrix"):
        adapter_spectrum({"other.weight": torch.ones(2, 2)})
    with pytest.raises(ValueError, match=r"up_proj \(lora_A\): holds NaN"):
        adapter_spectrum(state(torch.tensor([[math.nan, 1.0]]), torch.ones(3, 1)))
