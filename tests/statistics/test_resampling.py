"""Intervals from draws, beside those that have a formula."""

from __future__ import annotations

import numpy as np
import pytest

from flextune.statistics.components import Floats
from flextune.statistics.paired import Pair, difference_interval
from flextune.statistics.pooled import Part, Pooled
from flextune.statistics.resampling import UNDEFINED_DRAWS, resample


def arm(rate: float, rng: np.random.Generator, *, seeds: int = 6, problems: int = 80, spread=0.2) -> Pooled:
    luck = rng.normal(scale=spread, size=(seeds, 1))
    ease = np.random.default_rng(5).normal(scale=0.2, size=problems)
    passed = (rng.random((seeds, problems)) < rate + luck + ease).astype(float)
    part = Part(tuple(f"p{column:03}" for column in range(problems)), passed, (seeds,) * problems)
    return Pooled(tuple(map(str, range(seeds))), (part,), seeds, False)


def difference(means: Floats) -> Floats:
    return means[:, :1] - means[:, 1:2]


@pytest.mark.parametrize("seed", range(4))
def test_a_difference_of_means_has_about_the_interval_of_its_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arms = [arm(0.55, rng), arm(0.4, rng)]
    found = resample(arms, difference).mean([0])
    assert found is not None
    pair = Pair(arms[0].table(), arms[1].table(), True, True, True, True)
    low, high = difference_interval(pair) or (0, 0)
    assert found.value == pytest.approx((low + high) / 2)
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)


def test_equal_outcomes_have_equal_intervals() -> None:
    rng = np.random.default_rng(0)
    arms = [arm(0.5, rng), arm(0.4, rng)]
    assert resample(arms, difference).mean([0]) == resample(arms, difference).mean([0])


def test_the_interval_ends_at_0_at_the_level_of_its_p_value() -> None:
    rng = np.random.default_rng(1)
    for rates in ((0.5, 0.5), (0.55, 0.45), (0.7, 0.3)):
        found = resample([arm(rate, rng) for rate in rates], difference).mean([0])
        assert found is not None
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_two_seeds_say_nothing_about_a_method() -> None:
    rng = np.random.default_rng(2)
    found = resample([arm(0.5, rng, seeds=2), arm(0.4, rng, seeds=2)], difference)
    assert found.by_seed is None
    assert found.mean([0]).subject == "weights"


def test_arms_that_never_differ_have_an_interval_that_is_no_point() -> None:
    one = arm(0.5, np.random.default_rng(3))
    found = resample([one, one], difference).mean([0])
    assert (found.value, found.p_value) == (0, 1)
    assert found.low < 0 < found.high


def test_a_number_without_a_value_in_many_draws_has_no_interval() -> None:
    rng = np.random.default_rng(4)
    arms = [arm(0.5, rng), arm(0.4, rng)]

    def sometimes(means: Floats) -> Floats:
        gained = difference(means)
        return np.concatenate([np.where(gained > gained[:1], np.nan, gained), gained], axis=1)

    found = resample(arms, sometimes)
    assert np.isnan(found.by_problem[:, 0]).mean() > UNDEFINED_DRAWS
    assert found.defined().tolist() == [False, True]
    assert found.mean([0, 1]) is None
    assert found.mean([]) is None


def test_a_base_model_is_the_same_whatever_seeds_are_drawn() -> None:
    rng = np.random.default_rng(5)
    base = arm(0.5, rng, seeds=1)
    base = Pooled(("-",), base.parts, 0, True)
    found = resample([base, arm(0.4, rng)], lambda means: means)
    assert found.by_seed is not None
    assert np.ptp(found.by_seed[:, 0]) == 0
    assert np.ptp(found.by_seed[:, 1]) > 0
