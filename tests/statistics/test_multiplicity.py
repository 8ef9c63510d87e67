from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flextune.statistics.multiplicity import Test as OneTest
from flextune.statistics.multiplicity import adjusted, holm


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


def test_copies_and_tests_that_decide_nothing_do_not_count() -> None:
    family = [
        OneTest(0.02, "lora", decidable=True),
        OneTest(0.30, "fourier", decidable=True),
        OneTest(0.30, "fourier", decidable=True),
        OneTest(1.00, "none passed", decidable=False),
    ]
    assert adjusted(family) == [0.04, 0.30, 0.30, 1.0]
