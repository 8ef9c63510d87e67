from __future__ import annotations

from dataclasses import replace

import pytest

from flextune.records import Comparison, Estimate, Score
from flextune.report.labels import labels
from flextune.studies.scores.findings import Direction, adjusted, direction, findings, near_zero


def compared(
    arm: str, difference: float, low: float | None, high: float | None, p: float | None
) -> Comparison:
    return Comparison(
        arm, "base", "rosetta", "java", "base", "greedy", difference, low, high, p, "exact McNemar",
        won=(), lost=(), count=40,
    )  # fmt: skip


def scored(arm: str, value: float, low: float, high: float) -> Score:
    found = Estimate("pass@1", value, low, high, "wilson", 40)
    return Score(arm, "rosetta", "java", "base", "greedy", estimates=(found,))


@pytest.mark.parametrize(
    ("low", "high", "p", "expected"),
    [
        (0.1, 0.3, 0.01, "rises"),
        (-0.3, -0.1, 0.01, "falls"),
        (-0.01, 0.3, 0.01, "none"),
        (0.1, 0.3, 0.06, "none"),
        (None, None, 0.01, "none"),
        (0.1, 0.3, None, "unknown"),
    ],
)
def test_a_claim_needs_the_test_and_the_interval(
    low: float | None, high: float | None, p: float | None, expected: Direction
) -> None:
    assert direction(compared("flex", 0.2, low, high, p), p) == expected


def test_many_comparisons_take_a_lone_small_p_back() -> None:
    lone = compared("flex", 0.2, 0.05, 0.35, 0.02)
    crowd = [replace(lone, arm=f"arm{i}", p_value=0.5) for i in range(9)]
    (alone,) = adjusted([lone])
    first, *_ = adjusted([lone, *crowd])
    assert direction(lone, alone) == "rises"
    assert direction(lone, first) == "none"


def test_unknown_p_values_are_not_counted() -> None:
    unknown = compared("x", 0.0, None, None, None)
    assert adjusted([unknown, compared("flex", 0.2, 0.1, 0.3, 0.02)]) == [None, 0.02]


def test_a_sentence_carries_difference_interval_and_p() -> None:
    scores = [scored("base", 0.4, 0.3, 0.5), scored("flex", 0.2, 0.1, 0.3)]
    comparison = compared("flex", -0.2, -0.31, -0.09, 0.004)
    (finding,) = findings(scores, [comparison], labels(None, scores, "base"))
    (line,) = finding.arms
    assert (finding.language, line.detail, line.arm, line.direction) == ("Java", "retention", "flex", "falls")
    shown = line.words.replace("\u00a0", " ")
    assert shown == "falls against base: −20.0 points [−31.0, −9.0], p = 0.004"


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
    assert finding.notes == ("retention: no arm passed any of 40 problems, so there is nothing to compare.",)
