from __future__ import annotations

from dataclasses import replace

import pytest

from flextune.records import Comparison, Estimate, Score
from flextune.report.labels import labels
from flextune.report.verdict_words import plain, sentence, verdict_word
from flextune.statistics.decision import Direction, decided, direction
from flextune.studies.scores.findings import findings, near_zero


def compared(
    arm: str, difference: float, low: float | None, high: float | None, p: float | None
) -> Comparison:
    comparison = Comparison(
        arm, "base", "rosetta", "java", "base", "greedy", difference, low, high, p, "exact McNemar",
        won=(), lost=(), count=40, rate=0.4 + difference, baseline_rate=0.4,
    )  # fmt: skip
    return decided(comparison, p)


def scored(arm: str, value: float, low: float, high: float) -> Score:
    found = Estimate("pass@1", value, low, high, "Wilson", 40)
    return Score(arm, "rosetta", "java", "base", "greedy", estimates=(found,))


@pytest.mark.parametrize(
    ("low", "high", "p", "verdict", "way"),
    [
        (0.1, 0.3, 0.01, "certain", "rises"),
        (-0.3, -0.1, 0.01, "certain", "falls"),
        (-0.01, 0.3, 0.01, "undecided", "none"),
        (0.1, 0.3, 0.06, "undecided", "none"),
        (-0.01, 0.015, 0.6, "same", "none"),
        (None, None, 0.01, "undecided", "none"),
        (0.1, 0.3, None, "not compared", "none"),
    ],
)
def test_a_claim_needs_the_test_and_the_interval(
    low: float | None, high: float | None, p: float | None, verdict: str, way: Direction
) -> None:
    found = compared("flex", -0.2 if low and low < -0.2 else 0.2, low, high, p)
    assert (found.verdict, direction(found)) == (verdict, way)


def test_without_adjustment_a_difference_is_likely_and_no_more() -> None:
    lone = compared("flex", 0.2, 0.05, 0.35, 0.02)
    assert lone.verdict == "certain"
    assert decided(lone, 0.06).verdict == "likely"
    assert decided(replace(lone, primary=False), 0.001).verdict == "likely"


def words(comparison: Comparison) -> str:
    return plain(sentence(comparison))


def test_a_sentence_carries_scores_difference_interval_and_adjusted_p() -> None:
    falls = compared("flex", -0.2, -0.31, -0.09, 0.004)
    assert words(falls) == "falls, certain: 40.0 → 20.0 % (−20.0 points [−31.0, −9.0]), p = 0.004"
    assert words(decided(falls, 0.08)).endswith("p = 0.080")
    exploratory = decided(replace(falls, primary=False), 0.004)
    assert words(exploratory) == (
        "falls, likely: 40.0 → 20.0 % (−20.0 points [−31.0, −9.0]), p = 0.004 (exploratory)"
    )
    assert verdict_word(exploratory) == "(likely)"


def test_what_is_undecided_says_what_would_have_been_shown() -> None:
    open_question = replace(compared("flex", 0.01, -0.1, 0.12, 0.8), detectable=0.157)
    assert words(open_question) == (
        "undecided: 40.0 → 41.0 % (+1.0 points [−10.0, +12.0]), p = 0.800; "
        "about ±15.7 points would have been shown"
    )
    same = compared("flex", 0.0, -0.015, 0.015, 1.0)
    assert words(same) == "same within 2 points: 40.0 → 40.0 % (0.0 points [−1.5, +1.5])"


def test_few_trainings_and_unknown_outcomes_are_said() -> None:
    few = replace(compared("lora", -0.2, -0.3, -0.1, 0.001), subject="weights", trainings=(1, 0))
    assert "for these weights only: 1 training of lora, and a verdict" in words(decided(few, 0.001))
    assert verdict_word(decided(few, 0.001)) == "weights only"
    refused = replace(compared("lora", 0.2, None, None, None), unknown_alone=(3, 1), count=36)
    assert words(refused).startswith(
        "not compared: 3 problems with an unknown outcome in lora alone and 1 in"
    )
    nothing = replace(refused, count=0)
    assert words(nothing) == "not compared: no problem has a known outcome in both"


def test_findings_name_the_arms_of_a_contrast_and_put_primary_ones_first() -> None:
    scores = [scored(arm, 0.4, 0.3, 0.5) for arm in ("base", "flex", "lora")]
    against_base = replace(compared("flex", 0.0, -0.1, 0.1, 1.0), primary=False)
    contrast = replace(compared("lora", -0.2, -0.3, -0.1, 0.001), baseline="flex")
    (finding,) = findings(scores, [against_base, contrast], labels(None, scores, "base"))
    first, second = finding.arms
    assert (first.arm, first.direction, first.primary) == ("lora − flex", "falls", True)
    assert (second.arm, second.primary) == ("flex", False)
    assert (finding.language, first.detail) == ("Java", "old words")


def test_scores_near_zero_are_said_to_tell_nothing() -> None:
    scores = [scored("base", 0.0, 0.0, 0.023), scored("flex", 0.006, 0.0, 0.034)]
    (finding,) = findings(scores, [compared("flex", 0.006, -0.02, 0.03, 1.0)], labels(None, scores, "base"))
    assert finding.arms == ()
    assert "tells nothing about this model" in finding.notes[0]


def test_one_arm_above_five_percent_is_worth_comparing() -> None:
    assert not near_zero([scored("base", 0.0, 0.0, 0.02), scored("flex", 0.1, 0.05, 0.2)])
    assert not near_zero([])


def test_too_few_problems_for_near_zero_still_do_not_make_a_comparison_of_nothing() -> None:
    scores = [scored("base", 0.0, 0.0, 0.088), scored("flex", 0.0, 0.0, 0.088)]
    (finding,) = findings(scores, [compared("flex", 0.0, -0.09, 0.09, 1.0)], labels(None, scores, "base"))
    assert finding.arms == ()
    assert finding.notes == ("old words: no arm passed any of 40 problems, so there is nothing to compare.",)
