from __future__ import annotations

import json
import math

import pytest
import torch

from flextune.spectral.spectrum import adapter_spectrum, high_share, mean_power

KEY = "base_model.model.model.layers.0.mlp.up_proj.lora_{}.weight"


def cosine(length: int, k: int) -> torch.Tensor:
    return torch.cos(2 * math.pi * k * torch.arange(length, dtype=torch.float64) / length)


def test_cosine_has_power_at_its_frequency_only() -> None:
    power = mean_power(cosine(64, 5), bins=100)
    assert len(power) == 33
    assert power[5].item() == pytest.approx(16)
    assert power.sum().item() == pytest.approx(16)


def test_white_noise_has_its_variance_everywhere() -> None:
    noise = 3 * torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    power = mean_power(noise)
    assert len(power) == 64
    assert ((power - 9).abs() < 1).all()


@pytest.mark.parametrize(("k", "share"), [(0, 0.0), (16, 0.0), (17, 1.0), (32, 1.0)])
def test_high_share_begins_above_half_of_nyquist(k: int, share: float) -> None:
    assert high_share(cosine(64, k)) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("length", [1001, 1000, 999, 998])
def test_high_share_counts_energy_as_the_full_transform_does(length: int) -> None:
    noise = torch.randn(length, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    energy = torch.fft.fft(noise).abs().square()
    high = torch.fft.fftfreq(length, dtype=torch.float64).abs() > 0.25
    assert high_share(noise) == pytest.approx((energy[high].sum() / energy.sum()).item(), rel=1e-12)


def test_smooth_matrix_differs_from_its_null_and_noise_does_not() -> None:
    smooth = (cosine(4096, 3) + 0.5 * cosine(4096, 7)).reshape(8, 512)
    noise = torch.randn(512, 8, generator=torch.Generator().manual_seed(2))
    rows = adapter_spectrum({KEY.format("A"): smooth, KEY.format("B"): noise, "other.weight": noise})
    assert [(row["name"], row["factor"]) for row in rows] == [
        ("model.layers.0.mlp.up_proj", "A"),
        ("model.layers.0.mlp.up_proj", "B"),
    ]
    assert rows[0]["high_share"] < 1e-6
    assert rows[0]["null_high_share"] == pytest.approx(0.5, abs=0.05)
    assert rows[1]["high_share"] == pytest.approx(0.5, abs=0.05)
    assert json.loads(json.dumps(rows)) == rows


def test_share_of_a_zero_matrix_is_unknown() -> None:
    (row,) = adapter_spectrum({KEY.format("B"): torch.zeros(3, 2, dtype=torch.bfloat16)})
    assert row["high_share"] is None
    assert row["null_high_share"] is None
    assert row["power"] == [0.0] * 4


def test_null_is_reproducible() -> None:
    state = {KEY.format("A"): torch.randn(4, 9, generator=torch.Generator().manual_seed(3))}
    assert adapter_spectrum(state, seed=1) == adapter_spectrum(state, seed=1)
    assert adapter_spectrum(state, seed=1) != adapter_spectrum(state, seed=2)


def test_nothing_to_show_and_broken_tensors_are_errors() -> None:
    with pytest.raises(ValueError, match="no LoRA matrix"):
        adapter_spectrum({"other.weight": torch.ones(2, 2)})
    with pytest.raises(ValueError, match=r"up_proj\.lora_A\.weight: holds NaN"):
        adapter_spectrum({KEY.format("A"): torch.tensor([[math.nan, 1.0]])})
