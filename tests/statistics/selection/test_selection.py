"""Choosing on one half and reporting on the other. A failure prints the seed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from flextune.records import Outcome, Score
from flextune.statistics.exchange import Stratum, exchange_p_value
from flextune.statistics.selection.crossfit import cross_fit
from flextune.statistics.selection.field import Field, restricted
from flextune.statistics.selection.halves import split
from flextune.statistics.selection.max_t import max_t
from flextune.statistics.selection.simulation import SweepDesign, draw_sweep
from flextune.statistics.summary import compare

SEED = 14
REPEATS = 60
NOMINAL = 0.05


def score(arm: str, passes: list[list[int]]) -> Score:
    """A column of runs for each problem."""
    words: tuple[Outcome, Outcome] = ("wrong_answer", "passed")
    outcomes = {f"p{i:03}": [words[passed] for passed in column] for i, column in enumerate(passes)}
    return Score(arm, "b", "py", None, "greedy", {"-": outcomes}, {"-": None})


def test_halves_are_equal_stratified_and_the_same_in_any_order() -> None:
    strata = {f"p{i}": i % 3 for i in range(41)}
    halves = split(strata, 5)
    assert halves.choosing | halves.reporting == set(strata)
    assert not halves.choosing & halves.reporting
    assert abs(len(halves.choosing) - len(halves.reporting)) <= 1
    for stratum in range(3):
        sides = [
            sum(strata[name] == stratum for name in half) for half in (halves.choosing, halves.reporting)
        ]
        assert abs(sides[0] - sides[1]) <= 1
    backwards = dict(reversed(strata.items()))
    assert split(backwards, 5) == halves
    assert split(strata, 6) != halves
    # Fixed for good: a run that goes on elsewhere has the same halves.
    assert sorted(split(dict.fromkeys("abcdef", 0), 0).choosing) == ["b", "d", "e"]


def test_a_configuration_with_many_unknown_verdicts_is_left_out_and_named() -> None:
    known = score("known", [[1]] * 40)
    unknown = score("unknown", [[1]] * 40)
    for name in list(unknown.outcomes["-"])[:3]:
        unknown.outcomes["-"][name] = ["sandbox_fault"]
    field = Field.of([known, unknown], score("base", [[0]] * 40))
    assert [each.arm for each in field.configurations] == ["known"]
    assert field.left_out == ("unknown",)
    assert len(field.problems) == 40


def test_what_is_best_depends_on_the_problems_that_choose() -> None:
    field = Field.of(
        [score("first", [[1], [1], [0], [0]]), score("second", [[0], [0], [1], [1]])],
        score("base", [[0]] * 4),
    )
    assert field.best() == 0
    assert field.best({"p002", "p003"}) == 1


@pytest.mark.parametrize("runs", [(1, 1), (3, 1), (5, 5)])
def test_max_t_of_one_configuration_is_the_exact_run_exchange(runs: tuple[int, int]) -> None:
    rng = np.random.default_rng(SEED)
    ours, theirs = (rng.random((25, count)) < rate for count, rate in zip(runs, (0.55, 0.3), strict=True))
    field = Field.of([score("arm", ours.tolist())], score("base", theirs.tolist()))
    strata = [
        Stratum(int(a.sum()), runs[0], int(b.sum()), runs[1]) for a, b in zip(ours, theirs, strict=True)
    ]
    exact = exchange_p_value(strata)
    drawn = max_t(field, np.random.default_rng(1), 20_000).p_values[0]
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 0.01)


def test_copies_of_a_configuration_cost_nothing_and_others_do() -> None:
    rng = np.random.default_rng(SEED)
    base = rng.random((60, 1)) < 0.3
    better = base | (rng.random((60, 1)) < 0.16)
    one = Field.of([score("a", better.tolist())], score("base", base.tolist()))
    copies = Field.of([score(str(i), better.tolist()) for i in range(30)], score("base", base.tolist()))
    noise = [score(str(i), (rng.random((60, 1)) < 0.3).tolist()) for i in range(30)]
    many = Field.of([score("a", better.tolist()), *noise], score("base", base.tolist()))
    alone, among_copies, among_others = (
        max_t(field, np.random.default_rng(0)).p_values[0] for field in (one, copies, many)
    )
    assert among_copies == pytest.approx(alone, abs=0.01)
    assert among_others > alone


def test_cross_fitting_reports_on_problems_that_did_not_choose() -> None:
    # Each configuration passes the problems of one half alone: whatever is chosen fails where it is reported.
    strata = {f"p{i:03}": 0.0 for i in range(40)}
    halves = split(strata, SEED)
    rows = {
        name: [[int(f"p{i:03}" in half)] for i in range(40)]
        for name, half in (("here", halves.choosing), ("there", halves.reporting))
    }
    field = Field.of([score(name, row) for name, row in rows.items()], score("base", [[0]] * 40))
    found = cross_fit(field, SEED, splits=1)
    assert found.rate == 0.0
    assert found.chosen == {"here": 0.5, "there": 0.5}
    assert field.rates.mean(axis=1).max() == 0.5


def reported(design: SweepDesign, repeats: int = REPEATS) -> dict[str, list[float]]:
    """Naive best scores, and how often each way of reporting shows a gain."""
    found: dict[str, list[float]] = {
        "naive": [],
        "naive shown": [],
        "split": [],
        "cross-fit": [],
        "max-T": [],
    }
    for number in range(repeats):
        rng = np.random.default_rng([SEED, number])
        field = draw_sweep(design, rng)
        best = field.best()
        found["naive"].append(float(field.rates[best].mean()))
        found["naive shown"].append(gain(compare(field.configurations[best], field.baseline)))
        halves = split(dict(zip(field.problems, field.baseline_rates.tolist(), strict=True)), number)
        chosen = field.configurations[field.best(halves.choosing)]
        held = compare(restricted(chosen, halves.reporting), restricted(field.baseline, halves.reporting))
        found["split"].append(gain(held))
        fitted = cross_fit(field, number, splits=5)
        found["cross-fit"].append(float(fitted.shown and fitted.difference > 0))
        tested = max_t(field, rng, 500)
        found["max-T"].append(
            float(tested.p_values[best] < NOMINAL and field.rates[best].mean() > field.baseline_rates.mean())
        )
    return found


def gain(comparison) -> float:
    return float(comparison.verdict == "certain" and comparison.difference > 0)


@pytest.mark.slow
@pytest.mark.parametrize("family", [1, 15])
def test_the_best_of_150_that_change_nothing_looks_good_and_is_not_reported(family: int) -> None:
    found = reported(SweepDesign(family=family))
    assert 0.40 <= np.mean(found["naive"]) <= 0.44, f"seed {SEED}: {np.mean(found['naive'])}"
    limit = NOMINAL + 4 * math.sqrt(NOMINAL * (1 - NOMINAL) / REPEATS)
    for way in ("split", "cross-fit", "max-T"):
        assert np.mean(found[way]) <= limit, f"seed {SEED}, {way}: {np.mean(found[way])}"
    # The test has teeth: the naive best is called a gain far more often.
    assert np.mean(found["naive shown"]) > limit


@pytest.mark.slow
def test_a_planted_gain_of_20_points_is_reported_in_four_of_five() -> None:
    found = reported(SweepDesign(gain=0.2, planted=15, family=15))
    reach = 4 * math.sqrt(0.8 * 0.2 / REPEATS)
    for way in ("split", "cross-fit", "max-T"):
        assert np.mean(found[way]) >= 0.8 - reach, f"seed {SEED}, {way}: {np.mean(found[way])}"
    # As measured: more than the promise, not just within its error.
    assert np.mean(found["max-T"]) >= 0.8


def test_configurations_with_other_numbers_of_samples_are_tested_together() -> None:
    design = SweepDesign(configurations=12, problems=60, family=3, samples=(1, 4), gain=0.4, planted=3)
    field = draw_sweep(design, np.random.default_rng(SEED))
    sizes = {len(next(iter(each.outcomes["-"].values()))) for each in field.configurations}
    assert sizes == {1, 4}
    tested = max_t(field, np.random.default_rng(0))
    assert min(tested.p_values[:3]) < NOMINAL
    assert min(tested.p_values[3:]) > NOMINAL / 10


def test_nothing_drawn_depends_on_more_than_the_seed() -> None:
    field = draw_sweep(SweepDesign(configurations=8, problems=30), np.random.default_rng(3))
    assert cross_fit(field, 1) == cross_fit(field, 1)
    assert max_t(field, np.random.default_rng(2)) == max_t(field, np.random.default_rng(2))
    other = replace(field, configurations=list(field.configurations))
    assert cross_fit(other, 1) == cross_fit(field, 1)


def test_ranks_by_chance_fall_and_the_first_is_the_best_of_all() -> None:
    field = draw_sweep(SweepDesign(configurations=12, problems=80), np.random.default_rng(3))
    tested = max_t(field, np.random.default_rng(0), 500)
    low, middle, high = np.array(tested.by_rank).T
    assert len(middle) == 12
    assert (np.diff(middle) <= 0).all()
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert low[0] < tested.expected_best < high[0]
