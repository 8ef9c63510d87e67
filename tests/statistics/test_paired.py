from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flextune.statistics import paired
from flextune.statistics.multiplicity import holm
from flextune.statistics.paired import difference_interval, mcnemar_p_value, newcombe, permutation_p_value

fractions = st.builds(Fraction, st.integers(-6, 6), st.sampled_from([1, 2, 3, 5, 6]))


def all_signs_p_value(differences: list[Fraction]) -> float:
    """Every assignment of signs, counted one by one."""
    target = abs(sum(differences, Fraction()))
    sums = [
        abs(sum((s * d for s, d in zip(signs, differences, strict=True)), Fraction()))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    return sum(total >= target for total in sums) / len(sums)


@given(st.lists(fractions, min_size=1, max_size=9))
@settings(deadline=None)
def test_permutation_equals_counting_every_sign(differences: list[Fraction]) -> None:
    p_value = permutation_p_value(differences, np.random.default_rng(0))
    assert p_value == pytest.approx(all_signs_p_value(differences))


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_is_symmetric_and_equals_the_permutation_of_signs(won: int, lost: int) -> None:
    signs = [Fraction(1)] * won + [Fraction(-1)] * lost
    p_value = mcnemar_p_value(won, lost)
    assert p_value == mcnemar_p_value(lost, won)
    assert p_value == pytest.approx(permutation_p_value(signs, np.random.default_rng(0)))


def test_mcnemar_equals_the_binomial_tail() -> None:
    # A net gain of 12 with 9 lost of 30 is just significant: twice the tail of 30 fair coins.
    assert mcnemar_p_value(21, 9) == pytest.approx(2 * sum(comb(30, k) for k in range(10)) / 2**30)
    assert mcnemar_p_value(21, 9) < 0.05 < mcnemar_p_value(22, 10)


def test_equal_runs_have_p_1() -> None:
    assert mcnemar_p_value(0, 0) == 1.0
    assert permutation_p_value([Fraction(0)] * 40, np.random.default_rng(0)) == 1.0


def test_drawn_signs_agree_with_the_exact_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = [Fraction(n, 7) for n in (3, 5, -2, 4, 1, 6, -1, 2, 3, 5, -4, 2)]
    exact = all_signs_p_value(differences)
    monkeypatch.setattr(paired, "EXACT_STEPS", 0)
    drawn = permutation_p_value(differences, np.random.default_rng(0))
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / paired.MONTE_CARLO_DRAWS))


def test_drawn_signs_never_give_p_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired, "EXACT_STEPS", 0)
    p_value = permutation_p_value([Fraction(1)] * 60, np.random.default_rng(0))
    assert p_value == pytest.approx(1 / (paired.MONTE_CARLO_DRAWS + 1))


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


def test_the_interval_of_two_single_runs_is_newcombes_and_keeps_a_width_at_no_change() -> None:
    same = (np.arange(100) < 20).astype(float)[None]
    found = difference_interval(same, same, np.random.default_rng(0))
    assert found == newcombe(20, 0, 0, 80)
    assert found is not None
    assert found[0] < 0 < found[1]


def test_seeds_of_either_arm_widen_the_interval_of_the_difference() -> None:
    base = (np.arange(100) < 40).astype(float)[None]
    half = np.where(np.arange(100) < 50, 0.9, 0.1)[None]
    moving = np.stack([(np.arange(100) < n).astype(float) for n in (30, 50, 70)])

    def width(arm: np.ndarray, baseline: np.ndarray) -> float:
        found = difference_interval(arm, baseline, np.random.default_rng(0))
        assert found is not None
        return found[1] - found[0]

    averaged = moving.mean(axis=0, keepdims=True)
    assert width(moving, base) > 1.3 * width(averaged, base)
    assert width(moving, moving[:, ::-1]) > width(moving, averaged[:, ::-1])
    assert width(half, base) == pytest.approx(width(base, half), rel=0.05)


def test_a_known_shift_lies_in_the_interval_and_swapping_arms_mirrors_it() -> None:
    rng = np.random.default_rng(5)
    ease = rng.normal(size=(1, 160))
    arm = (ease + 0.5 + rng.normal(size=(3, 160)) > 0).astype(float)
    baseline = (ease + rng.normal(size=(3, 160)) > 0).astype(float)
    found = difference_interval(arm, baseline, np.random.default_rng(0))
    mirrored = difference_interval(baseline, arm, np.random.default_rng(1))
    assert found is not None
    assert mirrored is not None
    assert found[0] < 0.138 < found[1]  # Phi(0.5 / sqrt(2)) - 1/2
    assert mirrored == pytest.approx((-found[1], -found[0]), abs=0.01)


def test_no_problems_give_no_interval() -> None:
    assert difference_interval(np.zeros((1, 0)), np.zeros((3, 0)), np.random.default_rng(0)) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_equals_the_closed_test_over_every_subset(p_values: list[float]) -> None:
    indices = range(len(p_values))
    subsets = [s for size in range(1, len(p_values) + 1) for s in combinations(indices, size)]
    expected = [
        max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in subsets if index in s)
        for index in indices
    ]
    assert holm(p_values) == pytest.approx(expected)


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]) == []
