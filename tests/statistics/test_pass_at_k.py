from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flextune.statistics.pass_at_k import pass_at_k


@given(st.integers(0, 9), st.data())
def test_equals_counting_every_draw(samples: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, samples))
    k = data.draw(st.integers(1, 9))
    passed = [True] * correct + [False] * (samples - correct)
    draws = [any(draw) for draw in combinations(passed, k)]
    expected = sum(draws) / len(draws) if draws else math.nan
    assert pass_at_k(samples, correct, k) == pytest.approx(expected, nan_ok=True)


def test_is_undefined_with_fewer_samples_than_draws() -> None:
    assert math.isnan(pass_at_k(9, 9, 10))


def test_of_one_draw_is_the_share_of_passes() -> None:
    assert pass_at_k(200, 70, 1) == pytest.approx(0.35)


def test_stays_exact_where_factors_would_underflow() -> None:
    assert pass_at_k(10_000, 1, 100) == pytest.approx(0.01, rel=1e-12)


@pytest.mark.parametrize(("samples", "correct", "k"), [(5, 6, 1), (5, -1, 1), (5, 1, 0)])
def test_impossible_counts_are_refused(samples: int, correct: int, k: int) -> None:
    with pytest.raises(ValueError, match="must"):
        pass_at_k(samples, correct, k)
