from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flextune.statistics.paired import (
    Pair,
    difference_ends,
    difference_interval,
    difference_level,
    mcnemar_p_value,
    newcombe,
)


def pair(arm: np.ndarray, baseline: np.ndarray, *, equal: bool = False, by_seed: bool = False) -> Pair:
    """Both arms trained where they have three seeds or more."""
    return Pair(arm, baseline, len(arm) > 2, len(baseline) > 2, by_seed, equal)


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_is_symmetric(won: int, lost: int) -> None:
    assert mcnemar_p_value(won, lost) == mcnemar_p_value(lost, won)


def test_mcnemar_equals_the_binomial_tail() -> None:
    # A net gain of 12 with 9 lost of 30 is just significant: twice the tail of 30 fair coins.
    assert mcnemar_p_value(21, 9) == pytest.approx(2 * sum(comb(30, k) for k in range(10)) / 2**30)
    assert mcnemar_p_value(21, 9) < 0.05 < mcnemar_p_value(22, 10)
    assert mcnemar_p_value(0, 0) == 1.0


def test_newcombe_gives_the_published_interval() -> None:
    # Airway hyper-responsiveness before and after transplantation: Fagerland, Lydersen and Laake 2014,
    # Statistics in Medicine 33:2850.
    assert newcombe(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


def multinomial_tables(count: int) -> list[tuple[int, int, int, int]]:
    return [
        (a, b, c, count - a - b - c)
        for a in range(count + 1)
        for b in range(count + 1 - a)
        for c in range(count + 1 - a - b)
    ]


@pytest.mark.parametrize(
    "chances", [(0.2, 0.1, 0.1, 0.6), (0.3, 0.2, 0.05, 0.45), (0.01, 0.03, 0.01, 0.95), (0.4, 0.2, 0.2, 0.2)]
)
def test_newcombe_covers_the_truth_summed_over_every_table(chances: tuple[float, ...]) -> None:
    count = 16
    truth = chances[1] - chances[2]
    covered = 0.0
    for a, b, c, d in multinomial_tables(count):
        low, high = newcombe(a, b, c, d)
        ways = comb(count, a) * comb(count - a, b) * comb(count - a - b, c)
        if low <= truth <= high:
            covered += ways * float(np.prod(np.power(chances, (a, b, c, d))))
    assert 0.94 <= covered <= 1.0


def test_a_paired_table_has_the_crossed_interval_computed_by_hand() -> None:
    arm = np.tile([[1.0, 0, 1, 0], [1, 1, 0, 0], [1, 0, 1, 0]], 10)
    baseline = np.tile([[0.0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0]], 10)
    low, high = difference_ends(pair(arm, baseline, equal=True, by_seed=True), 0.05)
    table = arm - baseline
    problems = table.mean(axis=0)
    of_problems = (((problems - problems.mean()) ** 2).sum() + 1) / (40 * 39)
    seeds = table.mean(axis=1)
    residuals = table - seeds[:, None] - problems + table.mean()
    of_seeds = max(seeds.var(ddof=1) / 3 - 0.25 * (residuals**2).sum() / (2 * 39) / 120, 0)
    reach = np.sqrt(stats.t.ppf(0.975, 39) ** 2 * of_problems + stats.t.ppf(0.975, 2) ** 2 * of_seeds)
    assert (low, high) == pytest.approx((table.mean() - reach, table.mean() + reach))


def test_seeds_that_move_both_arms_alike_drop_out_of_a_paired_interval() -> None:
    rng = np.random.default_rng(3)
    ease = rng.random((1, 200))
    luck = np.array([[0.3], [0.5], [0.7]])
    arm = (ease < luck).astype(float)
    baseline = (ease < luck - 0.02).astype(float)

    def width(by_seed: bool) -> float:
        found = difference_interval(pair(arm, baseline, equal=True, by_seed=by_seed))
        assert found is not None
        return found[1] - found[0]

    assert width(by_seed=True) < 0.1 * width(by_seed=False)


def test_unequal_runs_near_zero_leave_zero_inside() -> None:
    # 7 passes of 300 in three runs, none of 100 in one: the base model may well have 2 % too.
    arm = np.zeros((3, 100))
    for seed, problem in [(0, 0), (1, 0), (0, 1), (1, 2), (2, 3), (2, 4), (1, 5)]:
        arm[seed, problem] = 1
    found = difference_interval(pair(arm, np.zeros((1, 100))))
    assert found is not None
    assert found[0] < 0 < found[1]


def test_equal_outcomes_still_have_a_width() -> None:
    same = np.tile((np.arange(40) < 12).astype(float), (3, 1))
    found = difference_interval(pair(same, same, equal=True, by_seed=True))
    assert found is not None
    assert found == pytest.approx((-0.0506, 0.0506), abs=1e-3)


def test_swapping_arms_mirrors_the_interval() -> None:
    rng = np.random.default_rng(5)
    ease = rng.normal(size=(1, 160))
    arm = (ease + 0.5 + rng.normal(size=(3, 160)) > 0).astype(float)
    for baseline, equal in [
        ((ease + rng.normal(size=(3, 160)) > 0).astype(float), True),
        ((ease + rng.normal(size=(1, 160)) > 0).astype(float), False),
    ]:
        found = difference_interval(pair(arm, baseline, equal=equal))
        mirrored = difference_interval(pair(baseline, arm, equal=equal))
        assert found is not None
        assert mirrored is not None
        assert found[0] < 0.138 < found[1]  # Phi(0.5 / sqrt(2)) - 1/2
        assert mirrored == pytest.approx((-found[1], -found[0]))


@pytest.mark.parametrize("equal", [True, False])
def test_the_level_is_that_of_the_interval_which_just_leaves_out_zero(equal: bool) -> None:
    rng = np.random.default_rng(2)
    arm = (rng.random((3, 80)) < 0.5).astype(float)
    baseline = (rng.random((3 if equal else 1, 80)) < 0.3).astype(float)
    both = pair(arm, baseline, equal=equal)
    level = difference_level(both)
    assert difference_ends(both, level * 1.001)[0] > 0 > difference_ends(both, level * 0.999)[0]
    assert difference_level(both, allowance=0.02) > level


def test_one_problem_or_none_has_no_interval() -> None:
    assert difference_interval(pair(np.zeros((1, 0)), np.zeros((3, 0)))) is None
    assert difference_interval(pair(np.ones((1, 1)) / 2, np.zeros((3, 1)))) is None
    assert difference_level(pair(np.ones((1, 1)) / 2, np.zeros((3, 1)))) == 1.0
