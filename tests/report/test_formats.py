from __future__ import annotations

import math

import pytest

from flextune.report.formats import (
    count,
    interval,
    large,
    mean_alone,
    number,
    p_value,
    percent,
    points,
    size,
    spread,
)
from flextune.statistics.means import Spread


@pytest.mark.parametrize(
    ("value", "shown"), [(0.3512, "35.1"), (0.0, "0.0"), (1.0, "100.0"), (math.nan, "–"), (None, "–")]
)
def test_an_undefined_share_is_a_dash_and_not_zero(value: float | None, shown: str) -> None:
    assert percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.1, "+10.0"), (-0.1, "−10.0"), (0.0, "0.0"), (-0.0001, "0.0"), (math.nan, "–")]
)
def test_a_difference_carries_its_sign_unless_it_rounds_to_zero(value: float, shown: str) -> None:
    assert points(value) == shown


def test_half_an_interval_is_none() -> None:
    assert interval(0.1, 0.2) == "[10.0, 20.0]"
    assert interval(-0.1, 0.2, signed=True) == "[−10.0, +20.0]"
    assert interval(None, 0.2) == ""


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (0.0409, "0.041"), (0.0, "<0.001"), (9e-4, "<0.001"), (None, "–")]
)
def test_a_p_value_is_never_shown_as_zero(value: float | None, shown: str) -> None:
    assert p_value(value) == shown


def test_one_is_singular() -> None:
    assert (count(1, "seed"), count(2, "seed"), count(1200, "seed")) == ("1 seed", "2 seeds", "1,200 seeds")


@pytest.mark.parametrize(
    ("mean", "shown"),
    [
        (Spread(-0.0123, -0.015, 0.0042, 5), "−0.0123 [−0.0150, +0.0042]"),
        (Spread(-0.00001, None, None, 1), "0.0000"),
    ],
)
def test_a_spread_is_shown_with_signs_that_are_as_wide_as_each_other(mean: Spread, shown: str) -> None:
    assert spread(mean, 4, signed=True) == shown


def test_an_unknown_number_is_a_dash() -> None:
    assert number(None, 2) == "–"
    assert spread(None, 2) == "–"
    assert mean_alone(None, 2) == "–"


def test_large_numbers_and_bytes_are_short() -> None:
    assert [large(6.74e9), large(1_412_000), large(320)] == ["6.7 B", "1.4 M", "320"]
    assert [size(27e9), size(5.6e6)] == ["27.0 GB", "5.6 MB"]
