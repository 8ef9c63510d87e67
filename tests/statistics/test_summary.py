from __future__ import annotations

import math
from dataclasses import replace

import pytest
from scipy import stats

from flextune.errors import FlextuneError
from flextune.records import Comparison, Outcome, Score
from flextune.statistics.intervals import wilson
from flextune.statistics.summary import compare, compare_all, estimate


def score(arm: str, runs: dict[str, str], **changes: str) -> Score:
    """One problem a word, one sample a letter: p passed, w wrong answer, ? sandbox fault."""
    letters: dict[str, Outcome] = {"p": "passed", "w": "wrong_answer", "?": "sandbox_fault"}
    outcomes = {
        seed: {f"problem_{i:02}": [letters[x] for x in samples] for i, samples in enumerate(text.split())}
        for seed, text in runs.items()
    }
    held = Score(arm, "rosetta", "java", "base", "greedy", outcomes=outcomes)
    return replace(held, **changes)  # type: ignore[arg-type]


def test_one_greedy_run_has_a_wilson_interval() -> None:
    (found,) = estimate(score("base", {"-": "p w w p w"})).estimates
    assert (found.metric, found.value, found.method, found.count) == ("pass@1", 0.4, "wilson", 5)
    assert (found.low, found.high) == wilson(2, 5)


def test_three_seeds_have_a_crossed_interval() -> None:
    runs = dict.fromkeys("01", "p w w p w p") | {"2": "p p w p w w"}
    (found,) = estimate(score("lora", runs)).estimates
    assert (found.value, found.method) == (0.5, "crossed bootstrap")
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 0.5 < found.high <= 1


def test_pass_at_10_appears_with_ten_samples_everywhere() -> None:
    nine, ten = "p" * 3 + "w" * 6, "p" * 3 + "w" * 7
    assert [e.metric for e in estimate(score("a", {"0": f"{ten} {nine}"})).estimates] == ["pass@1"]
    found = estimate(score("a", {"0": f"{ten} {'w' * 10}"})).estimates
    assert [(e.metric, e.value) for e in found] == [("pass@1", 0.15), ("pass@10", 0.5)]


def test_an_unknown_outcome_is_neither_pass_nor_failure() -> None:
    (found,) = estimate(score("a", {"0": "p ? w w", "1": "p p w ?"})).estimates
    assert (found.value, found.count) == (0.5, 2)


def test_nothing_known_is_nan_and_not_zero() -> None:
    (found,) = estimate(score("a", {"0": "? ?"})).estimates
    assert math.isnan(found.value)
    assert (found.low, found.method, found.count) == (None, "none", 0)


def test_two_greedy_runs_meet_in_mcnemar_with_problems_named() -> None:
    found = compare(score("flex", {"0": "p p p p p w w"}), score("base", {"-": "w w w w w p w"}))
    assert found.method == "exact McNemar"
    assert found.p_value == pytest.approx(stats.binomtest(5, 6).pvalue)
    assert found.difference == pytest.approx(4 / 7)
    assert found.won == ("problem_00", "problem_01", "problem_02", "problem_03", "problem_04")
    assert found.lost == ("problem_05",)


def test_three_seeds_against_one_model_are_permuted_over_problems() -> None:
    arm = score("flex", {"0": "p p w w p", "1": "p w p w p", "2": "p p p w w"})
    found = compare(arm, score("base", {"-": "w w w w p"}))
    assert found.method == "paired permutation"
    assert found.difference == pytest.approx((3 + 2 + 2 + 0 - 1) / 3 / 5)
    assert (found.won, found.lost) == (("problem_00", "problem_01", "problem_02"), ("problem_04",))
    # Of the 16 signs of thirds (3, 2, 2, 1), the sum is at least 6 in size for +++-, ++++ and mirrors.
    assert found.p_value == pytest.approx(4 / 16)


def test_unknown_and_missing_problems_are_left_out_of_both_arms() -> None:
    found = compare(score("flex", {"0": "p ? p w p"}), score("base", {"-": "w w ? w"}))
    assert found.count == 2
    assert found.left_out == ("problem_01", "problem_02", "problem_04")
    assert found.won == ("problem_00",)


def test_nothing_in_common_is_unknown() -> None:
    found = compare(score("flex", {"0": "? ?"}), score("base", {"-": "p w"}))
    assert (found.p_value, found.low, found.count) == (None, None, 0)
    assert math.isnan(found.difference)


@pytest.mark.parametrize("runs", [{"-": "p w p"}, {"0": "p w p", "1": "w w p", "2": "p p p"}])
def test_equal_runs_show_no_difference(runs: dict[str, str]) -> None:
    found = compare(score("a", runs), score("b", runs))
    assert (found.difference, found.p_value, found.won, found.lost) == (0.0, 1.0, (), ())
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_swapping_arms_mirrors_the_comparison() -> None:
    a = score("a", {"0": "p p w w p w p", "1": "p w w w p w p", "2": "p p w p p w w"})
    b = score("b", {"-": "w p w p w w p"})
    one, other = compare(a, b), compare(b, a)
    assert (one.won, one.lost, one.difference) == (other.lost, other.won, -other.difference)
    assert one.p_value == other.p_value


def test_results_do_not_depend_on_the_order_of_problems_or_seeds() -> None:
    a = score("a", {"0": "p p w w p", "1": "p w w w p", "2": "w p w p p"})
    turned = replace(
        a, outcomes={s: dict(reversed(runs.items())) for s, runs in reversed(a.outcomes.items())}
    )
    baseline = score("b", {"-": "w p w p w"})
    assert estimate(turned).estimates == estimate(a).estimates
    assert compare(turned, baseline) == compare(a, baseline)


def test_other_settings_are_not_compared() -> None:
    with pytest.raises(FlextuneError, match=r"java.*py.*same benchmark"):
        compare(score("a", {"0": "p"}), score("b", {"-": "p"}, language="py"))


def test_every_arm_meets_the_baseline_of_its_own_setting() -> None:
    rows = [
        score(arm, {"0": "p w"}, language=language) for arm in ("base", "lora") for language in ("py", "js")
    ]
    rows.append(score("lora", {"0": "p"}, language="rs"))
    found: list[Comparison] = compare_all(rows, "base")
    assert [(c.arm, c.baseline, c.language) for c in found] == [
        ("lora", "base", "py"),
        ("lora", "base", "js"),
    ]
