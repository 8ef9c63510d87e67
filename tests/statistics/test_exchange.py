from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flextune.statistics.exchange import SMALLEST, Stratum, exchange_p_value
from flextune.statistics.paired import mcnemar_p_value


def strata() -> st.SearchStrategy[Stratum]:
    def of(runs: tuple[int, int]) -> st.SearchStrategy[Stratum]:
        return st.builds(
            Stratum, st.integers(0, runs[0]), st.just(runs[0]), st.integers(0, runs[1]), st.just(runs[1])
        )

    return st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(of)


def counted_p_value(problems: list[Stratum]) -> float:
    """Every way of handing the passes of each problem to the two models, counted one by one."""
    ways: dict[int, int] = {}
    choices = []
    for s in problems:
        passes = s.passed + s.other_passed
        choices.append(
            [
                (x, comb(s.runs, x) * comb(s.other_runs, passes - x))
                for x in range(passes + 1)
                if passes - x >= 0
            ]
        )
    for choice in product(*choices):
        total, weight = 0, 1
        for x, count in choice:
            total, weight = total + x, weight * count
        ways[total] = ways.get(total, 0) + weight
    observed, everything = sum(s.passed for s in problems), sum(ways.values())
    above = sum(weight for total, weight in ways.items() if total >= observed)
    below = sum(weight for total, weight in ways.items() if total <= observed)
    return min(1.0, 2 * min(above, below) / everything)


@given(st.lists(strata(), max_size=5))
@settings(deadline=None)
def test_equals_counting_every_exchange(problems: list[Stratum]) -> None:
    assert exchange_p_value(problems) == pytest.approx(counted_p_value(problems))


@given(st.integers(0, 30), st.integers(0, 30))
def test_with_one_run_of_each_it_is_mcnemars_test(won: int, lost: int) -> None:
    problems = [Stratum(1, 1, 0, 1)] * won + [Stratum(0, 1, 1, 1)] * lost
    assert exchange_p_value(problems) == pytest.approx(max(mcnemar_p_value(won, lost), SMALLEST))


def test_seven_of_300_in_three_runs_against_none_of_100_in_one_is_no_finding() -> None:
    problems = [Stratum(2, 3, 0, 1), *[Stratum(1, 3, 0, 1)] * 5, *[Stratum(0, 3, 0, 1)] * 94]
    # All 7 passes fall to the arm with chance 3/4 for each of five problems, and 1/2 for the sixth.
    assert exchange_p_value(problems) == pytest.approx(2 * (3 / 4) ** 5 * (1 / 2))


def test_nothing_to_exchange_is_p_1() -> None:
    assert exchange_p_value([]) == 1.0
    assert exchange_p_value([Stratum(3, 3, 1, 1), Stratum(0, 3, 0, 1)]) == 1.0


def test_many_runs_stay_exact_in_the_tail_and_end_at_the_smallest_p() -> None:
    # 240 runs of each of 100 problems: the tail of one binomial-like sum, far out.
    far = [Stratum(200, 240, 40, 240)] * 100
    near = [Stratum(121, 240, 119, 240)] * 100
    # 100 above the mean of a sum with variance 100 * 240 * (1/2) * (1/2) * 240 / 479.
    normal = 2 * stats.norm.sf((100 - 0.5) / (100 * 60 * 240 / 479) ** 0.5)
    assert exchange_p_value(far) == SMALLEST
    assert exchange_p_value(near) == pytest.approx(normal, rel=1e-2)
