from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from flextune.statistics.intervals import interval, wilson, wilson_ends


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


@given(st.integers(0, 30), st.integers(31, 60))
def test_the_wider_formula_is_wilsons_where_every_problem_passes_always_or_never(
    passed: int, count: int
) -> None:
    spread = np.asarray(stats.norm.ppf(0.975) ** 2 / count)
    assert wilson_ends(np.asarray(passed / count), spread) == pytest.approx(wilson(passed, count))


def test_seeds_that_agree_do_not_narrow_the_interval_as_more_problems_would() -> None:
    problems = (np.arange(40) % 3 == 0).astype(float)
    alone, method = interval(problems[None], single_run=True)
    thrice, crossed = interval(np.tile(problems, (3, 1)), single_run=False)
    assert (method, crossed) == ("Wilson", "Wilson, over problems and seeds")
    assert alone is not None
    assert thrice is not None
    # A little wider: Student's quantile of 39 degrees of freedom instead of the normal one.
    assert 1 < (thrice[1] - thrice[0]) / (alone[1] - alone[0]) < 1.05


def test_seeds_that_disagree_widen_the_interval() -> None:
    steady = np.tile((np.arange(100) < 50).astype(float), (3, 1))
    moving = np.stack([(np.arange(100) < n).astype(float) for n in (30, 50, 70)])
    narrow, _ = interval(steady, single_run=False)
    wide, _ = interval(moving, single_run=False)
    assert narrow is not None
    assert wide is not None
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_two_seeds_give_no_interval_over_seeds() -> None:
    rates = np.stack([np.arange(50) < 10, np.arange(50) < 30]).astype(float)
    found, method = interval(rates, single_run=False)
    averaged, _ = interval(np.tile(rates.mean(axis=0), (2, 1)), single_run=False)
    assert method == "Wilson, over problems"
    assert found == averaged


def test_several_samples_narrow_the_interval_by_what_lies_within_problems() -> None:
    half = np.full((1, 100), 0.5)
    apart = np.repeat([0.0, 1.0], 50)[None]
    within, _ = interval(half, single_run=False)
    between, _ = interval(apart, single_run=False)
    assert within is not None
    assert between is not None
    assert within[1] - within[0] < 0.3 * (between[1] - between[0])
    # Problems that were not met may be solved always or never: some width stays.
    assert within[1] - within[0] > 0.02


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_none_or_all_passed_in_three_seeds_is_not_certain(rate: float) -> None:
    found, method = interval(np.full((3, 40), rate), single_run=False)
    assert method == "Wilson"
    assert found == wilson(40 * int(rate), 40)


def test_one_problem_or_none_has_no_interval_over_problems() -> None:
    assert interval(np.array([[0.5]]), single_run=False) == (None, "none")
    assert interval(np.zeros((3, 0)), single_run=False) == (None, "none")


def test_equal_outcomes_have_equal_intervals_whatever_they_are_called() -> None:
    rates = (np.random.default_rng(0).random((3, 40)) < 0.4).astype(float)
    assert interval(rates, single_run=False) == interval(rates.copy(), single_run=False)
