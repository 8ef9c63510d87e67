from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from tests.spectral.reference import random_pair

from flextune.spectral.nulls import compare_with_nulls
from flextune.spectral.pairs import LoraPair

NUMBERS = ("high_share", "entropy", "stable_rank", "effective_rank")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth_pair(inputs: int = 96, outputs: int = 80) -> LoraPair:
    """Slow waves along both dimensions."""
    a = torch.stack([torch.sin(torch.linspace(0, k * math.pi, inputs)) for k in (2, 3, 5)])
    b = torch.stack([torch.cos(torch.linspace(0, k * math.pi, outputs)) for k in (1, 2, 4)], 1)
    return LoraPair(a, b, 2.0, "smooth")


def rows(pair: LoraPair, **options: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["factor"], row["axis"]): row for row in compare_with_nulls([pair], generator(), **options)}


def test_every_matrix_has_its_rows_and_they_are_json() -> None:
    found = compare_with_nulls([smooth_pair(), random_pair(12, 9, 2)], generator(), draws=2, bins=8)
    views = [("A", "row"), ("B", "row"), ("update", "input"), ("update", "output")]
    assert [(row["factor"], row["axis"]) for row in found] == views * 2
    assert json.loads(json.dumps(found)) == found
    for row in found:
        assert len(row["power"]) <= 8
        assert set(NUMBERS) < set(row)
        for null in ("permuted", "noise"):
            assert set(row[null]) == {"power", *NUMBERS}
            assert len(row[null]["power"]["mean"]) == len(row["power"])


def test_order_shows_in_a_smooth_update_and_goes_with_a_permutation() -> None:
    found = rows(smooth_pair())
    for view in (("update", "input"), ("update", "output"), ("A", "row")):
        row = found[view]
        for null in ("permuted", "noise"):
            assert row["high_share"] < 0.1 < row[null]["high_share"]["low"]
            assert row["entropy"] < row[null]["entropy"]["low"]


def test_noise_lies_in_its_own_bands() -> None:
    pair = random_pair(400, 300, 4)
    for row in rows(pair, draws=40).values():
        for null in ("permuted", "noise"):
            for number in NUMBERS:
                band = row[null][number]
                width = band["high"] - band["low"] + 1e-9
                assert band["low"] - 2 * width < row[number] < band["high"] + 2 * width
                assert band["low"] <= band["mean"] <= band["high"]


def test_permuting_neurons_keeps_the_updates_rank_and_noise_does_not() -> None:
    pair = smooth_pair()
    pair = LoraPair(pair.a * torch.tensor([[1.0], [0.1], [0.01]]), pair.b, pair.scale)
    row = rows(pair)["update", "input"]
    for number in ("stable_rank", "effective_rank"):
        assert row["permuted"][number]["low"] == pytest.approx(row[number], rel=1e-6)
        assert row["permuted"][number]["high"] == pytest.approx(row[number], rel=1e-6)
        assert row["noise"][number]["low"] > 1.2 * row[number]


def test_nulls_have_the_norm_of_the_matrix() -> None:
    def norm(power: list[float]) -> float:
        return 2 * sum(power) - power[0]  # of an odd length: all bins but the first count twice

    for row in rows(smooth_pair(95, 81), draws=3, bins=1000).values():
        for null in ("permuted", "noise"):
            assert norm(row[null]["power"]["mean"]) == pytest.approx(norm(row["power"]), rel=1e-6)


def test_power_of_noise_is_its_variance() -> None:
    for (factor, _), row in rows(random_pair(600, 500, 3, scale=1.0), draws=1, bins=2).items():
        assert row["power"] == pytest.approx([3.0 if factor == "update" else 1.0] * 2, rel=0.25)


def test_one_generator_decides_every_draw() -> None:
    pairs = [random_pair(12, 9, 2)]
    assert compare_with_nulls(pairs, generator(1), draws=2) == compare_with_nulls(
        pairs, generator(1), draws=2
    )
    assert compare_with_nulls(pairs, generator(1), draws=2) != compare_with_nulls(
        pairs, generator(2), draws=2
    )


def test_rows_of_b_show_how_its_ranks_resemble_each_other_and_the_update_does_not() -> None:
    """Outputs in random order; the columns of B are multiples of one another, up to some noise."""
    drawn = generator(1)
    b = torch.randn(400, 1, generator=drawn) @ torch.randn(1, 8, generator=drawn)
    b += 0.2 * torch.randn(400, 8, generator=drawn)
    found = rows(LoraPair(torch.randn(8, 300, generator=drawn), b))
    share, band = (found["B", "row"][key] for key in ("high_share", "permuted"))
    assert abs(share - 0.5) > 3 * (band["high_share"]["high"] - band["high_share"]["low"])
    share, band = (found["update", "output"][key] for key in ("high_share", "permuted"))
    assert abs(share - 0.5) < band["high_share"]["high"] - band["high_share"]["low"]


def test_numbers_of_an_untrained_adapter_are_unknown() -> None:
    for (factor, _), row in rows(LoraPair(torch.ones(2, 6), torch.zeros(5, 2)), draws=2).items():
        if factor != "A":
            assert [row[number] for number in NUMBERS] == [None] * 4
            assert [row[null][number] for null in ("permuted", "noise") for number in NUMBERS] == [None] * 8
            assert not any(row["power"])


def test_experts_have_factors_and_no_update() -> None:
    experts = LoraPair(torch.ones(4, 6), torch.ones(5, 4), experts=2)
    assert list(rows(experts, draws=1)) == [("A", "row"), ("B", "row")]


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="draws 0"):
        compare_with_nulls([smooth_pair()], generator(), draws=0)
    with pytest.raises(ValueError, match="no LoRA matrix found"):
        compare_with_nulls([], generator())
    broken = LoraPair(torch.full((2, 3), math.nan), torch.ones(4, 2), name="up_proj")
    with pytest.raises(ValueError, match=r"up_proj \(lora_A\): holds NaN or infinity"):
        compare_with_nulls([broken], generator())
