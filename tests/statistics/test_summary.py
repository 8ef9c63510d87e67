from __future__ import annotations

import math
from dataclasses import replace

import pytest
from scipy import stats

from flextune.errors import FlextuneError
from flextune.records import Comparison, Outcome, Score
from flextune.statistics.intervals import wilson
from flextune.statistics.summary import Contrast, compare, compare_all, estimate
from flextune.statistics.tally import setting


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
    assert (found.metric, found.value, found.method, found.count) == ("pass@1", 0.4, "Wilson", 5)
    assert (found.low, found.high) == wilson(2, 5)


def test_three_seeds_have_a_crossed_interval() -> None:
    runs = dict.fromkeys("01", "p w w p w p") | {"2": "p p w p w w"}
    (found,) = estimate(score("lora", runs)).estimates
    assert (found.value, found.method) == (0.5, "Wilson, over problems and seeds")
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < 0.5 < found.high <= 1


def test_pass_at_10_appears_with_ten_samples_everywhere() -> None:
    nine, ten = "p" * 3 + "w" * 6, "p" * 3 + "w" * 7
    known = valued(score("a", {"0": f"{ten} {nine}"}))
    assert [metric for metric, _ in known] == ["pass@1"]
    assert valued(score("a", {"0": f"{ten} {'w' * 10}"})) == [("pass@1", 0.15), ("pass@10", 0.5)]


def valued(of: Score) -> list[tuple[str, float]]:
    """What has a value; the others have bounds alone."""
    return [(e.metric, e.value) for e in estimate(of).estimates if not math.isnan(e.value)]


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


def test_three_seeds_against_one_model_exchange_runs_within_problems() -> None:
    arm = score("flex", {"0": "p p w w p", "1": "p w p w p", "2": "p p p w w"})
    found = compare(arm, score("base", {"-": "w w w w p"}))
    assert found.method == "exact run exchange, and the interval"
    assert found.difference == pytest.approx((3 + 2 + 2 + 0 - 1) / 3 / 5)
    assert (found.won, found.lost) == (("problem_00", "problem_01", "problem_02"), ("problem_04",))
    # The base model's one run got one of 3 + 2 + 2 + 3 passes; in 9/64 of all exchanges it gets at most one.
    # Of five problems and three seeds the interval is less sure still.
    assert found.p_value is not None
    assert 2 * 9 / 64 < found.p_value < 0.5


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


def test_copies_and_cells_without_a_pass_do_not_weigh_on_the_others() -> None:
    base = score("base", {"-": "p " * 30 + "w " * 10})
    lora = score("lora", dict.fromkeys("012", "p " * 10 + "w " * 30))
    fourier = score("fourier", dict.fromkeys("012", "p " * 25 + "w " * 15))
    alone = compare_all([base, lora, fourier], "base")
    empty = [score(arm, {"-": "w w"}, language="py") for arm in ("base", "lora", "fourier")]
    crowd = compare_all([base, lora, fourier, replace(fourier, arm="merged"), *empty], "base")
    by_arm = {c.arm: c for c in crowd if c.language == "java"}
    assert by_arm["lora"].adjusted_p == alone[0].adjusted_p
    assert by_arm["merged"].adjusted_p == by_arm["fourier"].adjusted_p
    assert {c.adjusted_p for c in crowd if c.language == "py"} == {1.0}


def test_named_contrasts_are_primary_and_all_else_is_exploratory() -> None:
    base = score("base", {"-": "w " * 60})
    arms = [score(arm, dict.fromkeys("012", "p " * n + "w " * (60 - n))) for arm, n in (("a", 30), ("b", 58))]
    where = setting(base)
    chosen = [Contrast("b", "a", where), Contrast("a", "base", where, primary=False)]
    primary, exploratory = compare_all([base, *arms], "base", chosen)
    assert (primary.arm, primary.baseline, primary.primary, primary.verdict) == ("b", "a", True, "certain")
    # Each family is adjusted alone, and what was found while exploring is never certain.
    assert primary.adjusted_p == primary.p_value
    assert exploratory.adjusted_p == exploratory.p_value
    assert exploratory.adjusted_p is not None
    assert exploratory.adjusted_p < 0.05
    assert exploratory.verdict == "likely"


@pytest.mark.parametrize("seeds", ["0", "01"])
def test_fewer_than_three_trainings_decide_nothing_about_the_method(seeds: str) -> None:
    base = score("base", {"-": "w " * 60})
    found = compare(score("lora", dict.fromkeys(seeds, "p " * 60)), base)
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert (found.subject, found.verdict, found.trainings) == ("weights", "undecided", (len(seeds), 0))


def test_two_fixed_models_are_decided_without_any_training() -> None:
    adapter, base = score("adapter", {"-": "p " * 30}), score("base", {"-": "w " * 30})
    found = compare(replace(adapter, trainings={"-": None}), replace(base, trainings={"-": None}))
    assert (found.subject, found.verdict) == ("models", "certain")


def test_equal_within_the_margin_is_a_verdict() -> None:
    runs = dict.fromkeys("012", "p " * 100 + "w " * 100)
    same = compare(score("a", runs), score("b", runs))
    assert (same.verdict, same.margin) == ("same", 0.02)
    assert compare(score("a", runs), score("b", runs), margin=0.005).verdict == "undecided"
    few = dict.fromkeys("012", "p w p w")
    assert compare(score("a", few), score("b", few)).verdict == "undecided"


def test_problems_unknown_to_one_arm_alone_forbid_a_comparison() -> None:
    base = score("base", {"-": "w " * 40})
    found = compare(score("lora", dict.fromkeys("012", "p " * 35 + "? " * 5)), base)
    assert (found.verdict, found.p_value, found.low) == ("not compared", None, None)
    assert (found.unknown, found.unknown_alone, found.count) == ((15, 0), (5, 0), 35)
    both = compare(
        score("lora", dict.fromkeys("012", "p " * 35 + "? " * 5)), score("base", {"-": "w " * 35 + "? " * 5})
    )
    assert (both.verdict, both.unknown, both.unknown_alone) == ("certain", (15, 5), (0, 0))


def test_a_few_unknown_to_one_arm_widen_the_interval_by_what_they_could_change() -> None:
    arm = dict.fromkeys("012", "p " * 60 + "w " * 140)
    whole = compare(score("lora", arm), score("base", {"-": "w " * 200}))
    missing = compare(score("lora", arm), score("base", {"-": "w " * 199 + "?"}))
    assert missing.unknown_alone == (0, 1)
    assert whole.low is not None
    assert missing.low is not None
    assert missing.low < whole.low
    assert missing.verdict == "certain"
