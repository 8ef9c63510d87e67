from __future__ import annotations

import math

import pytest
import torch
from tests.spectral.reference import random_pair

from flextune.spectral.comparison import NULLS, NUMBERS, Comparison, Draws, average, outside
from flextune.spectral.nulls import compare
from flextune.spectral.pairs import LoraPair


def drawn(values: list[float]) -> Draws:
    column = torch.tensor(values, dtype=torch.float64)
    return Draws(column[:, None], column[:, None].expand(-1, len(NUMBERS)))


def measured(number: float, level: float = 1.0, *, draws: list[float], power: list[float]) -> Comparison:
    return Comparison(
        name="m",
        factor="A",
        axis="row",
        level=level,
        power=torch.tensor(power, dtype=torch.float64),
        numbers=torch.full((len(NUMBERS),), number, dtype=torch.float64),
        nulls={null: Draws(torch.tensor([power] * len(draws)), drawn(draws).numbers) for null in NULLS},
    )


def compared(pair: LoraPair, seed: int = 0) -> list[Comparison]:
    return compare(pair, torch.Generator().manual_seed(seed), draws=5, bins=8)


@pytest.mark.parametrize("count", [19, 20, 39])
def test_one_further_draw_in_ten_lies_outside_of_a_band(count: int) -> None:
    """Of ranks: a further draw is equally likely to fall into each gap between ordered draws."""
    band = drawn([float(k) for k in range(1, count + 1)]).band()["entropy"]
    # Between draws k and k + 1 it is as likely to fall on either side of a point as the point is far along.
    below = band["low"] / (count + 1)
    above = 1 - band["high"] / (count + 1)
    assert (below, above) == pytest.approx((0.05, 0.05))


def test_band_of_few_draws_is_their_range() -> None:
    assert drawn([3.0, 1.0, 2.0]).band()["entropy"] == {"mean": 2.0, "low": 1.0, "high": 3.0}
    assert drawn([7.0]).band()["entropy"] == {"mean": 7.0, "low": 7.0, "high": 7.0}


def test_mean_is_taken_draw_by_draw() -> None:
    one = measured(1.0, draws=[0.0, 1.0, 2.0], power=[1.0])
    other = measured(3.0, draws=[2.0, 1.0, 0.0], power=[1.0])
    row = average([one, other], "both").row()
    assert row["name"] == "both"
    assert row["entropy"] == 2.0
    # Each pair of draws has the mean 1, whatever the bands of the two are.
    assert row["noise"]["entropy"] == {"mean": 1.0, "low": 1.0, "high": 1.0}


def test_power_is_relative_to_each_matrix_level() -> None:
    large = measured(1.0, 1e6, draws=[1.0], power=[3e6, 1e6])
    small = measured(1.0, 1e-6, draws=[1.0], power=[1e-6, 3e-6])
    row = average([large, small], "both").row()
    assert row["power"] == pytest.approx([2.0, 2.0])
    assert row["permuted"]["power"]["mean"] == pytest.approx([2.0, 2.0])


def test_spectra_of_other_lengths_meet_on_the_shorter_ones_grid() -> None:
    long = measured(1.0, draws=[1.0], power=[1.0, 2.0, 3.0, 4.0])
    short = measured(1.0, draws=[1.0], power=[0.5, 0.5])
    assert average([long, short], "both").power.tolist() == [1.0, 2.0]


def test_level_is_the_mean_square_entry() -> None:
    pair = random_pair(12, 9, 2, scale=3.0)
    dense = (pair.scale * pair.b @ pair.a).detach()
    wanted = [pair.a.square().mean(), pair.b.square().mean(), dense.square().mean(), dense.square().mean()]
    assert [one.level for one in compared(pair)] == pytest.approx([value.item() for value in wanted])


def test_an_untrained_module_does_not_enter_the_mean() -> None:
    trained = random_pair(12, 9, 2)
    untrained = LoraPair(trained.a, torch.zeros(9, 2), trained.scale)
    for one, other in zip(compared(trained), compared(untrained), strict=True):
        if one.factor != "A":
            assert average([one, other], "both").row() == {**average([one], "one").row(), "name": "both"}
    nothing = average([compared(untrained)[1]], "none").row()
    assert [nothing[number] for number in NUMBERS] == [None] * 4
    assert nothing["noise"]["entropy"] is None
    assert not any(nothing["power"])


@pytest.mark.parametrize(
    ("value", "found"), [(1.0, False), (2.0, False), (2.0 + 1e-12, False), (2.1, True), (0.9, True)]
)
def test_outside_of_a_band(value: float, found: bool) -> None:
    assert outside(value, {"mean": 1.5, "low": 1.0, "high": 2.0}) is found


def test_unknown_is_neither_inside_nor_outside() -> None:
    assert outside(None, {"mean": 1.5, "low": 1.0, "high": 2.0}) is None
    assert outside(1.0, None) is None
    assert math.isnan(compared(LoraPair(torch.ones(1, 3), torch.zeros(2, 1)))[1].numbers[0].item())
