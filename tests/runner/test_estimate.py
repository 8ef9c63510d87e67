"""What a plan says of memory and time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flextune.config import parse_experiment
from flextune.records import Example
from flextune.runner.estimate import estimated_seconds, memory, steps
from flextune.runner.work import BaseModel, Training
from flextune.runs.run import Run

ROSETTA = BaseModel("rosetta", "bfloat16", "cpu", "identity")


def training(*overrides: str) -> Training:
    """Of ten examples."""
    experiment = parse_experiment("name: x\n", where="x.yaml", overrides=overrides)
    examples = [Example(str(number), "prompt", "completion") for number in range(10)]
    return Training("key", "x seed 0", ROSETTA, experiment.recipe(0), examples, [])


@pytest.mark.parametrize(
    ("overrides", "count"),
    [
        (["train.epochs=3", "train.batch_size=4"], 9),
        (["train.epochs=0.5", "train.batch_size=1"], 5),
        (["train.epochs=2", "train.batch_size=2", "train.gradient_accumulation_steps=2"], 6),
        (["train.max_steps=7"], 7),
    ],
)
def test_steps_of_a_training(overrides: list[str], count: int) -> None:
    assert steps(training(*overrides)) == count


def test_what_was_trained_decides_how_long_the_rest_takes(tmp_path: Path) -> None:
    trained = tmp_path / "trained" / "other"
    (trained / "adapter").mkdir(parents=True)
    (trained / "adapter" / "adapter_config.json").write_text("{}")
    (trained / "key.json").write_text("{}")
    rows = [{"step": 5, "seconds": 9.0, "loss": 1.0}, {"step": 10, "seconds": 20.0, "loss": 0.5}]
    (trained / "training.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    seconds = estimated_seconds([training("train.max_steps=7")], [], {"rosetta": 10**6}, Run(tmp_path), 1)
    assert seconds == pytest.approx(7 * 2.0)


def test_without_a_measurement_a_larger_model_takes_longer(tmp_path: Path) -> None:
    small, large = (
        estimated_seconds([training("train.max_steps=7")], [], {"rosetta": count}, Run(tmp_path), 1)
        for count in (10**6, 10**12)
    )
    assert 0 < small < large


def test_memory_is_known_without_the_weights() -> None:
    pytest.importorskip("torch")
    found = memory(ROSETTA)
    assert found.bytes == 2 * found.parameters
    assert 10**6 < found.parameters < 2 * 10**6
