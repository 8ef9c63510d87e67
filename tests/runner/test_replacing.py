"""Another experiment of the same name replaces no scores; one that adds to them may."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.config import Experiment, dump_experiment, parse_experiment
from flextune.errors import FlextuneError
from flextune.runner.baseline import baseline_note, with_base_arm
from flextune.runner.replacing import check_replaces_nothing

TEXT = """
name: two
evaluate: [{language: py, limit: 4}]
seeds: [0, 1]
arms: [{name: base, train: null}, {name: lora}]
"""


def experiment(*overrides: str) -> Experiment:
    return parse_experiment(TEXT, where="two.yaml", overrides=overrides)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with scores of the experiment."""
    (tmp_path / "experiment.yaml").write_text(dump_experiment(experiment()))
    (tmp_path / "scores.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    "override",
    [
        "seeds=[0, 1, 2]",
        "arms=[{name: base, train: null}, {name: lora}, {name: more, adapter: {rank: 2}}]",
        "evaluate=[{language: py, limit: 4}, {language: js}]",
        "device=cpu",
        "contrasts=[[lora, base]]",
    ],
)
def test_what_adds_to_the_results_may_go_on(run: Path, override: str) -> None:
    check_replaces_nothing(experiment(override), run)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seeds=[0]", "seeds [0, 1], now without 1"),
        ("arms=[{name: base, train: null}]", "arm lora, now missing"),
        ("arms.lora.adapter.rank=4", "lora: adapter.rank 8, now 4"),
        ("train.epochs=2", "train.epochs 3.0, now 2.0"),
        ("evaluate.0.limit=2", "rosetta py base with other settings"),
        ("evaluate.0.language=js", "rosetta py base, now missing"),
        ("tune={seed: 7}", "tune is another"),
    ],
)
def test_what_would_replace_results_is_refused_with_the_difference(
    run: Path, override: str, words: str
) -> None:
    with pytest.raises(FlextuneError) as caught:
        check_replaces_nothing(experiment(override), run)
    assert words in str(caught.value)
    assert "name=OTHER keeps both, --replace replaces its scores and page" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_without_scores_has_nothing_to_lose(run: Path) -> None:
    (run / "scores.json").unlink()
    check_replaces_nothing(experiment("seeds=[5]"), run)


def test_an_experiment_without_arms_gets_its_base_model() -> None:
    alone = parse_experiment("name: mine\nevaluate: [{language: py}]\n", where="mine.yaml")
    arms = with_base_arm(alone).resolved_arms()
    assert [(arm.name, arm.train is None) for arm in arms] == [("base", True), ("mine", False)]
    assert arms[1].adapter == alone.adapter
    assert with_base_arm(with_base_arm(alone)) == with_base_arm(alone)
    base = parse_experiment("name: base\ntrain: null\n", where="base.yaml")
    assert with_base_arm(base) == base


def test_trained_arms_alone_are_told_what_they_are_compared_with() -> None:
    assert baseline_note(experiment()) == ""
    trained = experiment("arms=[{name: a}, {name: b, adapter: {rank: 2}}]")
    assert "compared with 'a', which is trained too" in baseline_note(trained)
    alone = experiment("arms=[{name: a}]")
    assert "there is nothing to compare with; an arm {name: base, train: null}" in baseline_note(alone)


def test_an_arm_that_is_the_baseline_under_another_name_is_told() -> None:
    same = experiment("arms=[{name: a, train: null}, {name: b, train: null, adapter: {rank: 2}}, {name: c}]")
    assert baseline_note(same) == "nothing is set that would make b differ from 'a'"
