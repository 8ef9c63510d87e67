"""Several base models and types of weights in one experiment, each loaded in turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.small_experiment import small_experiment
from tests.support.tiny import tiny_model

import flextune.models.load
from flextune.runner.execute import RunOptions, run_experiment

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(
        tmp_path_factory.mktemp("models") / "other", hidden_size=32, max_position_embeddings=1024
    )


def test_each_model_is_loaded_once_and_answers_as_itself(
    model_folder: Path, other_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[str, str]] = []
    load = flextune.models.load.load_model

    def noted(name: str, **options: Any) -> Any:
        loaded.append((name, options["dtype"]))
        return load(name, **options)

    monkeypatch.setattr("flextune.models.load.load_model", noted)
    arms = (
        f"arms=[{{name: base, train: null}}, {{name: other, train: null, model: '{other_model}'}}, "
        f"{{name: lora}}, {{name: half, train: null, dtype: bfloat16}}, "
        f"{{name: lora-2, model: '{other_model}'}}]"
    )
    result = run_experiment(small_experiment(model_folder, arms), tmp_path, RunOptions())
    assert loaded == [
        (str(model_folder), "float32"),
        (str(other_model), "float32"),
        (str(model_folder), "bfloat16"),
    ]
    assert {score.arm for score in result.scores} == {"base", "other", "lora", "half", "lora-2"}
    trained = [json.loads(path.read_text())["model"] for path in tmp_path.glob("trained/*/key.json")]
    assert sorted(trained) == sorted([str(model_folder), str(other_model)])
    texts = {
        score.arm: (tmp_path / "generated" / key / "completions.jsonl").read_text()
        for score in result.scores
        for key in score.generations.values()
    }
    assert texts["base"] != texts["other"]


def test_other_limits_judge_again_and_generate_nothing(model_folder: Path, tmp_path: Path) -> None:
    arms = "arms=[{name: base, train: null}, {name: hasty, train: null, judge: {cpu_seconds: 2}}]"
    run_experiment(small_experiment(model_folder, arms), tmp_path, RunOptions())
    assert len(list(tmp_path.glob("generated/*"))) == 1
    assert len(list(tmp_path.glob("judged/*/verdicts.jsonl"))) == 2


def test_arms_that_share_a_training_and_call_the_model_otherwise_are_all_evaluated(
    model_folder: Path, tmp_path: Path
) -> None:
    arms = (
        "arms=[{name: a, penalty: null}, "
        f"{{name: b, penalty: null, model: '{model_folder}/.', generate: {{export: merged}}}}]"
    )
    result = run_experiment(small_experiment(model_folder, arms), tmp_path, RunOptions())
    assert {score.arm for score in result.scores} == {"a", "b"}
    assert len(list(tmp_path.glob("trained/*"))) == 1
