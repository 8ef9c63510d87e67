"""From an experiment's contrasts to what is compared in each setting."""

from __future__ import annotations

from typing import Any

from flextune.config import make_experiment
from flextune.records import Score
from flextune.runner.score import contrasts

SETTINGS = [("rosetta", "java", "base", "greedy"), ("rosetta", "py", "base", "greedy")]


def chosen(asked: Any) -> list[tuple[str, str, str, bool]]:
    """Arm, what it is compared with, language and whether it is primary."""
    experiment = make_experiment(
        {
            "name": "x",
            "evaluate": [{"language": "java"}, {"language": "py"}],
            "arms": [{"name": "base", "train": None}, {"name": "lora"}, {"name": "flex"}],
            "contrasts": asked,
        }
    )
    scores = [Score("base", *where) for where in SETTINGS]
    return [(c.arm, c.baseline, c.where[1], c.primary) for c in contrasts(experiment, scores)]


def test_without_a_word_every_arm_meets_the_baseline() -> None:
    assert chosen(None) == [
        (arm, "base", language, True) for language in ("java", "py") for arm in ("lora", "flex")
    ]


def test_what_is_named_is_primary_and_the_rest_is_exploratory() -> None:
    assert chosen([["flex", "lora"]])[:3] == [
        ("flex", "lora", "java", True),
        ("lora", "base", "java", False),
        ("flex", "base", "java", False),
    ]


def test_a_comparison_named_the_other_way_round_is_not_made_twice() -> None:
    assert [c[:2] for c in chosen([["base", "lora"]])[:2]] == [("base", "lora"), ("flex", "base")]


def test_contrasts_are_primary_where_they_are_meant() -> None:
    found = chosen({"pairs": [["flex", "lora"]], "where": [{"language": "Java"}]})
    assert [c[2:] for c in found if c[:2] == ("flex", "lora")] == [("java", True), ("py", False)]
