from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from flextune.statistics import intervals
from flextune.statistics.intervals import interval, wilson


@given(st.integers(1, 60), st.data())
def test_wilson_ends_are_where_the_score_test_just_rejects(count: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, count))
    z = stats.norm.ppf(0.975)

    def score(p: float) -> float:
        return (passed / count - p) ** 2 - z * z * p * (1 - p) / count

    low, high = wilson(passed, count)
    tiny = 1e-13
    expected_low = optimize.brentq(score, tiny, passed / count - tiny) if passed else 0.0
    expected_high = optimize.brentq(score, passed / count + tiny, 1 - tiny) if passed < count else 1.0
    assert low == pytest.approx(expected_low, abs=1e-9)
    assert high == pytest.approx(expected_high, abs=1e-9)


def simulated(seeds: int, problems: int, rng: np.random.Generator) -> np.ndarray:
    """0/1 outcomes with problem difficulty and seed luck crossed; the true mean is Phi(-0.5 / sqrt(3.29))."""
    ease = -0.5 + 0.2 * rng.normal(size=(seeds, 1)) + 1.5 * rng.normal(size=(1, problems))
    return (ease + rng.normal(size=(seeds, problems)) > 0).astype(float)


@pytest.mark.parametrize(("seeds", "problems"), [(3, 40), (3, 160), (5, 40)])
def test_crossed_bootstrap_covers_the_truth(
    seeds: int, problems: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 500)
    rng = np.random.default_rng(3)
    truth = stats.norm.cdf(-0.5 / np.sqrt(0.2**2 + 1.5**2 + 1))
    repeats = 300
    hits = 0
    for _ in range(repeats):
        found, method = interval(simulated(seeds, problems, rng), single_run=False, rng=rng)
        assert method == "crossed bootstrap"
        assert found is not None
        hits += found[0] <= truth <= found[1]
    assert 0.92 <= hits / repeats <= 0.995


def test_seeds_that_agree_do_not_narrow_the_interval_as_more_problems_would() -> None:
    problems = (np.arange(40) % 3 == 0).astype(float)
    alone, _ = interval(problems[None], single_run=True, rng=np.random.default_rng(0))
    thrice, method = interval(np.tile(problems, (3, 1)), single_run=False, rng=np.random.default_rng(0))
    assert method == "crossed bootstrap"
    assert alone is not None
    assert thrice is not None
    assert thrice[1] - thrice[0] == pytest.approx(alone[1] - alone[0], rel=0.1)


def test_seeds_that_disagree_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    steady = np.tile((np.arange(100) < 50).astype(float), (3, 1))
    moving = np.stack([(np.arange(100) < n).astype(float) for n in (30, 50, 70)])
    narrow, _ = interval(steady, single_run=False, rng=rng)
    wide, _ = interval(moving, single_run=False, rng=rng)
    assert narrow is not None
    assert wide is not None
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_two_seeds_give_no_interval_over_seeds() -> None:
    rates = np.stack([np.arange(50) < 10, np.arange(50) < 30]).astype(float)
    found, method = interval(rates, single_run=False, rng=np.random.default_rng(0))
    swapped, _ = interval(np.tile(rates.mean(axis=0), (2, 1)), single_run=False, rng=np.random.default_rng(0))
    assert method == "bootstrap over problems"
    assert found == swapped


def test_several_samples_of_one_seed_are_bootstrapped_over_problems() -> None:
    rates = np.linspace(0, 1, 30)[None]
    found, method = interval(rates, single_run=False, rng=np.random.default_rng(0))
    error = 1.96 * rates.std() / np.sqrt(30)
    assert method == "bootstrap over problems"
    assert found == pytest.approx((0.5 - error, 0.5 + error), abs=0.01)


def test_none_passed_in_three_seeds_is_not_certain_zero() -> None:
    found, method = interval(np.zeros((3, 40)), single_run=False, rng=np.random.default_rng(0))
    assert method == "wilson"
    assert found == wilson(0, 40)
    assert found is not None
    assert found[1] > 0.05


def test_one_problem_or_none_has_no_bootstrap_interval() -> None:
    rng = np.random.default_rng(0)
    assert interval(np.array([[0.5]]), single_run=False, rng=rng) == (None, "none")
    assert interval(np.zeros((3, 0)), single_run=False, rng=rng) == (None, "none")
