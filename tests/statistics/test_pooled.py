"""Several settings as one table."""

from __future__ import annotations

import numpy as np
import pytest

from flextune.records import Outcome, Score
from flextune.statistics.pooled import Pooled, pooled, pooled_difference
from flextune.statistics.summary import compare, estimate

NAMES = [f"p{number:02}" for number in range(40)]


def score(rate: float, language: str = "java", *, seeds: int = 3, seed: int = 0, names=NAMES) -> Score:
    rng = np.random.default_rng([seed, len(language)])
    words: tuple[Outcome, Outcome] = ("exception", "passed")
    outcomes = {str(row): {name: [words[int(rng.random() < rate)]] for name in names} for row in range(seeds)}
    return Score(
        "arm", "b", language, None, "greedy", outcomes, {str(row): f"t{row}" for row in range(seeds)}
    )


def of(*scores: Score) -> Pooled:
    return pooled(scores, [next(iter(each.outcomes.values())).keys() for each in scores])


def width(found: Pooled) -> float:
    ends = found.interval()
    assert ends is not None
    return ends[1] - ends[0]


def test_one_setting_has_the_estimate_and_the_interval_of_its_score() -> None:
    one = score(0.4)
    (wanted, *_) = estimate(one).estimates
    found = of(one)
    assert found.value == pytest.approx(wanted.value)
    assert found.interval() == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize("seeds", [1, 3])
def test_one_setting_differs_as_the_comparison_of_its_scores(seeds: int) -> None:
    arm, base = score(0.6, seeds=seeds), score(0.3, seed=1, seeds=seeds)
    wanted = compare(arm, base)
    assert pooled_difference(of(arm), of(base)) == pytest.approx((wanted.low, wanted.high))


def test_settings_count_alike_however_many_problems_they_pose() -> None:
    few = score(0.0, "js", names=NAMES[:5])
    found = of(score(1.0), few)
    assert found.value == 0.5
    assert found.table().mean() == pytest.approx(0.5)


def test_a_problem_in_two_languages_is_one_column() -> None:
    java, js = score(0.5, "java"), score(0.5, "js")
    found = of(java, js)
    assert found.problems == tuple(NAMES)
    tables = np.array([part.rates for part in found.parts])
    assert found.table() == pytest.approx(tables.mean(axis=0))


def test_the_same_outcomes_twice_are_no_more_certain() -> None:
    once = of(score(0.5))
    twice = Pooled(once.seeds, once.parts * 2, once.trainings, False)
    assert twice.interval() == pytest.approx(once.interval())
    apart = of(score(0.5), score(0.5, "js", names=[f"q{name}" for name in NAMES]))
    assert width(apart) < width(once)


def test_only_seeds_that_all_settings_have_count() -> None:
    assert of(score(0.5, seeds=4), score(0.5, "js", seeds=3)).seeds == ("0", "1", "2")
