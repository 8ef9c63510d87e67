from __future__ import annotations

import math

import pytest

from flextune.statistics.means import Spread, exponential, mean_over_seeds, ratio_over_seeds


def test_interval_is_students_with_its_tabled_quantile() -> None:
    found = mean_over_seeds([1.0, 2.0, 3.0, 4.0, 5.0])
    # t(0.975, 4) = 2.776 (any table); s = sqrt(2.5), so s / sqrt(5) = sqrt(0.5).
    assert found is not None
    assert (found.value, found.count) == (3.0, 5)
    assert found.low == pytest.approx(3 - 2.7764 * math.sqrt(0.5), abs=1e-4)
    assert found.high == pytest.approx(3 + 2.7764 * math.sqrt(0.5), abs=1e-4)


def test_two_seeds_have_the_wide_interval_of_one_degree_of_freedom() -> None:
    found = mean_over_seeds([0.0, 2.0])
    assert found is not None
    assert found.high == pytest.approx(1 + 12.7062, abs=1e-3)


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    assert mean_over_seeds([0.3]) == Spread(0.3, None, None, 1)
    assert mean_over_seeds([]) is None
    assert ratio_over_seeds([]) is None


def test_ratio_the_other_way_round_is_the_reciprocal() -> None:
    there, back = ratio_over_seeds([0.5, 0.8, 1.1]), ratio_over_seeds([2.0, 1.25, 1 / 1.1])
    assert there is not None
    assert back is not None
    assert there.value == pytest.approx((0.5 * 0.8 * 1.1) ** (1 / 3))
    assert back.low is not None
    assert (1 / back.value, 1 / back.low) == pytest.approx((there.value, there.high))


def test_an_interval_that_no_float_holds_is_still_a_number() -> None:
    found = exponential(mean_over_seeds([-300.0, 300.0]))
    assert found is not None
    assert found.high is not None
    assert math.isfinite(found.high)
    assert found.low == pytest.approx(0.0)
