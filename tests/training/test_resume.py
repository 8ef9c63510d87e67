"""A training that goes on from a checkpoint ends as one that never stopped."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.power import FailAt, Power
from tests.support.trainings import lines
from transformers import TrainerCallback

from flextune.config import AdapterConfig, KLConfig, PenaltyConfig, Recipe, TrainConfig, optimizer
from flextune.config.sections.train import EarlyStoppingConfig
from flextune.errors import FlextuneError, TrainingInterrupted
from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.training.checkpoints import save_pace
from flextune.training.engine import train_adapter

EXAMPLES = [Example(str(n), f"say {n % 4}: ", "ab" * (n % 4 + 1)) for n in range(18)]
TRAIN = TrainConfig(max_steps=8, batch_size=4, learning_rate=1e-2, max_length=64, logging_steps=4)
FILES = ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "spectrum.json")


def recipe(name: str = "adamw", **changes: Any) -> Recipe:
    return Recipe(
        adapter=AdapterConfig(rank=2, targets="all", dropout=0.1),
        train=TRAIN.model_copy(update=changes),
        optimizer=optimizer(name),
        penalty=PenaltyConfig(strength=0.1),
    )


def train(loaded: LoadedModel, folder: Path, made: Recipe, *fails: TrainerCallback, **options: Any) -> Path:
    train_adapter(loaded, EXAMPLES, EXAMPLES[:3], made, folder, callbacks=fails, **options)
    return folder


def stopped(loaded: LoadedModel, folder: Path, made: Recipe, *steps: int) -> Path:
    """Lost power after each of these steps."""
    for step in steps:
        with pytest.raises(Power):
            train(loaded, folder, made, FailAt(step))
    return folder


def same(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    clocks = ({k: v for k, v in line.items() if k != "estimate_share"} for line in lines(one))
    assert list(clocks) == [{k: v for k, v in line.items() if k != "estimate_share"} for line in lines(other)]


@pytest.fixture(scope="module")
def whole(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that never stopped."""
    return train(loaded, tmp_path_factory.mktemp("whole"), recipe())


# An epoch has five batches; two epochs of the accumulating recipe have three steps each.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("sophia", {"kl": KLConfig(tokens="all")}),
        ("adamw", {"gradient_accumulation_steps": 2, "batches": "padding_free"}),
        ("lion", {"batches": "packed", "early_stopping": EarlyStoppingConfig(patience=9)}),
    ],
)
def test_it_ends_with_the_same_bytes(
    loaded: LoadedModel, tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    """Within an epoch, at its end, within the second one, and between two log lines."""
    made = recipe(name, **changes)
    again = stopped(loaded, tmp_path / "again", made, 3, 5, 6)
    same(train(loaded, tmp_path / "whole", made), train(loaded, again, made))
    assert not (again / "checkpoints").exists()


@pytest.mark.slow
def test_the_penalty_in_the_loss_is_counted_on(loaded: LoadedModel, tmp_path: Path) -> None:
    made = recipe().model_copy(update={"penalty": PenaltyConfig(strength=0.1, apply="loss")})
    again = stopped(loaded, tmp_path / "again", made, 6)
    same(train(loaded, tmp_path / "whole", made), train(loaded, again, made))


def test_a_checkpoint_is_there_whole_or_not_at_all(loaded: LoadedModel, tmp_path: Path) -> None:
    made = recipe(save_steps=3)
    with pytest.raises(Power):
        train(loaded, tmp_path, made, FailAt(8, saved=False))
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert [name for name in names if name.startswith("checkpoint-")] == ["checkpoint-3", "checkpoint-6"]
    seal = tmp_path / "checkpoints" / "checkpoint-6" / "seal.json"
    files = json.loads(seal.read_text())["files"]
    assert {"adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "flextune_0.pt"} <= set(files)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["changed", "missing", "unsealed"])
def test_a_damaged_one_falls_back_to_the_one_before(
    loaded: LoadedModel, whole: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    again = stopped(loaded, tmp_path, recipe(save_steps=1), 7)
    last = again / "checkpoints" / "checkpoint-7"
    weights = last / "adapter_model.safetensors"
    if damage == "changed":
        weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    else:
        (weights if damage == "missing" else last / "seal.json").unlink()
    with caplog.at_level(logging.WARNING):
        train(loaded, again, recipe())
    assert [r.getMessage() for r in caplog.records if "checkpoint-7 is damaged" in r.getMessage()]
    same(whole, again)


@pytest.mark.slow
def test_one_of_another_training_is_refused_by_the_setting(loaded: LoadedModel, tmp_path: Path) -> None:
    folder = stopped(loaded, tmp_path, recipe(), 2)
    with pytest.raises(
        FlextuneError,
        match=r"checkpoint-2: a checkpoint of another training \(train.learning_rate: 0.01 there, 0.02"
        r" here\); remove .*checkpoints to start again",
    ):
        train(loaded, folder, recipe(learning_rate=0.02))
    with pytest.raises(FlextuneError, match=r"another training \(examples: "):
        train_adapter(loaded, EXAMPLES[1:], EXAMPLES[:3], recipe(), folder)
    # How often is saved and logged is no part of it.
    train(loaded, folder, recipe(save_steps=5, logging_steps=2))


def test_other_circumstances_are_said(
    loaded: LoadedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stopped(loaded, tmp_path, recipe(), 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    with caplog.at_level(logging.WARNING):
        train(loaded, folder, recipe())
    assert "threads: 1 there, 7 here" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_control_c_saves_the_step_and_says_how_to_go_on(
    loaded: LoadedModel, whole: Path, tmp_path: Path, number: int
) -> None:
    class Press(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 5:
                os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(TrainingInterrupted, match="after step 6 of 8, which is saved; the same command"):
        train(loaded, tmp_path, recipe(), Press())
    assert signal.getsignal(number) is before
    assert [path.name for path in (tmp_path / "checkpoints").glob("c*")] == ["checkpoint-6"]
    same(whole, train(loaded, tmp_path, recipe()))


def test_a_second_control_c_ends_at_once(loaded: LoadedModel, tmp_path: Path) -> None:
    class Press(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as pressed:
        train(loaded, tmp_path, recipe(), Press())
    assert not isinstance(pressed.value, TrainingInterrupted)


def test_a_short_training_writes_none_and_a_long_one_spends_a_hundredth_on_them() -> None:
    assert not save_pace(59, last=0.0)
    assert save_pace(61, last=0.0)
    assert not save_pace(199, last=2.0)
    assert save_pace(201, last=2.0)


@pytest.mark.slow
def test_callbacks_of_one_s_own_keep_their_state(loaded: LoadedModel, tmp_path: Path) -> None:
    class Counts(TrainerCallback):
        steps = 0

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.steps += 1

        def state_dict(self) -> dict[str, Any]:
            return {"steps": self.steps}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            self.steps = state["steps"]

    with pytest.raises(Power):
        train(loaded, tmp_path, recipe(), Counts(), FailAt(4))
    with pytest.raises(FlextuneError, match="callback Counts: the checkpoint has it"):
        train(loaded, tmp_path, recipe())
    counts = Counts()
    train(loaded, tmp_path, recipe(), counts)
    assert counts.steps == 8


def test_a_folder_that_is_no_checkpoint_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"no trainer_state\.json; it is not a checkpoint"):
        train(loaded, tmp_path / "a", recipe(), resume=tmp_path)
