"""Which arms differ in one number."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flextune.config.reading import parse_experiment
from flextune.studies.transfer.families import FIRST, Family, families, own_arms, value_text

EXPERIMENT = """
name: x
train: {data: rosetta, max_steps: 100}
penalty: {kind: fourier, strength: 0.01}
arms:
"""


def found(*arms: str, ignored: tuple[str, ...] = ()) -> list[Family]:
    text = EXPERIMENT + "".join(f"  - {{name: {arm}}}\n" for arm in arms)
    resolved = parse_experiment(text, where="x.yaml").resolved_arms()
    settings: dict[str, dict[str, Any]] = {
        arm.name: arm.model_dump(mode="json", exclude={"name", "evaluate", "decode"}) for arm in resolved
    }
    return families(settings, list(settings), ignored)


def told(*arms: str, **options: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(family.name, family.arms) for family in found(*arms, **options)]


def test_strengths_of_a_penalty_begin_where_there_is_none() -> None:
    (family,) = found("f1", "f2, penalty: {strength: 0.1}", "lora, penalty: null")
    assert family.arms == ("lora", "f1", "f2")
    assert family.values == (0.0, 0.01, 0.1)
    assert (family.name, family.key, family.fourier) == ("fourier", "penalty.strength", True)


def test_each_kind_of_penalty_is_a_family_that_the_plain_arm_begins() -> None:
    assert told(
        "lora, penalty: null",
        "f1",
        "l2, penalty: {kind: l2}",
        "l2-more, penalty: {kind: l2, strength: 0.5}",
        "narrow, penalty: {cutoff: 0.2}",
    ) == [
        ("fourier", ("lora", "f1")),
        ("l2", ("lora", "l2", "l2-more")),
        ("fourier (cutoff 0.2)", ("lora", "narrow")),
    ]


@pytest.mark.parametrize(
    ("arm", "family"),
    [
        ("half, penalty: null, generate: {scale: 0.5}", ("scaled adapter", ("half", "lora"))),
        ("early, penalty: null, train: {max_steps: 50}", ("steps", ("early", "lora"))),
        ("kl, penalty: null, train: {kl: {weight: 0.5}}", ("KL to the base model", ("lora", "kl"))),
        (
            "mixed, penalty: null, train: {replay: {share: 0.1, languages: [java]}}",
            ("replay", ("lora", "mixed")),
        ),
        (
            "stopped, penalty: null, train: {early_stopping: {patience: 2}}",
            ("early stopping", ("stopped", "lora")),
        ),
        ("wide, penalty: null, adapter: {rank: 32}", ("rank", ("lora", "wide"))),
    ],
)
def test_one_number_makes_a_family(arm: str, family: tuple[str, tuple[str, ...]]) -> None:
    assert told("lora, penalty: null", arm) == [family]


def test_an_arm_that_differs_in_more_or_in_a_word_is_alone() -> None:
    assert told(
        "lora, penalty: null",
        "both, penalty: null, train: {max_steps: 50}, adapter: {rank: 32}",
        "mlp, penalty: null, adapter: {targets: attention}",
    ) == [("lora", ("lora",)), ("both", ("both",)), ("mlp", ("mlp",))]


def test_a_grid_is_lines_of_strengths_and_no_arm_is_in_two_of_them() -> None:
    grid = [f"s{s}-c{c}, penalty: {{strength: {s}, cutoff: {c}}}" for s in (0.1, 0.2) for c in (0.2, 0.4)]
    assert told(*grid) == [
        ("fourier (cutoff 0.2)", ("s0.1-c0.2", "s0.2-c0.2")),
        ("fourier (cutoff 0.4)", ("s0.1-c0.4", "s0.2-c0.4")),
    ]


def test_families_of_one_name_are_told_apart_by_an_arm() -> None:
    arms = ["a", "b, train: {learning_rate: 1e-3}", "c, adapter: {rank: 4}",
            "d, adapter: {rank: 4}, train: {learning_rate: 1e-3}"]  # fmt: skip
    assert told(*arms) == [("learning rate", ("a", "b")), ("learning rate (c)", ("c", "d"))]


def test_what_was_tuned_for_each_arm_is_no_difference() -> None:
    arms = ("lora, penalty: null, train: {learning_rate: 1e-3}", "f1")
    assert len(found(*arms)) == 2
    assert told(*arms, ignored=("train.learning_rate",)) == [("fourier", ("lora", "f1"))]


def test_arms_of_equal_settings_are_one_point_of_a_line() -> None:
    assert told("lora, penalty: null", "again, penalty: null", "f1") == [
        ("fourier", ("lora", "f1")),
        ("again", ("again",)),
    ]


def test_own_arms_are_those_of_no_other_family() -> None:
    fourier, l2 = found("lora, penalty: null", "f1", "l2, penalty: {kind: l2}")
    assert own_arms(fourier, [fourier, l2]) == ("f1",)
    assert (value_text(fourier, "f1"), value_text(fourier, "l2")) == ("0.01", "")


def test_a_limit_that_is_not_set_is_the_widest() -> None:
    (family,) = found("short, train: {max_steps: 10}", "all, train: {max_steps: null}")
    assert family.values == (10.0, math.inf)
    assert value_text(family, "all") == "no limit"
    assert family.key in FIRST
