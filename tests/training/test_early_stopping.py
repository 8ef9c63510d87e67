from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.support.trainings import lines
from torch import nn

from flextune.config import AdapterConfig, EarlyStoppingConfig, Recipe, TrainConfig
from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.training.callbacks.keeping import KeepBestCallback
from flextune.training.engine import train_adapter

RECIPE = TrainConfig(
    max_steps=40,
    batch_size=4,
    learning_rate=3e-2,
    lr_scheduler_type="constant",
    logging_steps=5,
    max_length=64,
)
EXAMPLES = [Example(str(n), f"say {n % 4}: ", "ab" * (n % 4 + 1)) for n in range(16)]
#: Begins as the examples do and goes on otherwise: at first it is learned too.
HELD_OUT = [Example("other", "say 5: ", "abba")]


def trained(loaded: LoadedModel, folder: Path, **changes: Any) -> Path:
    options: dict[str, Any] = {"validation": HELD_OUT, "progress": None, **changes}
    validation, progress = options.pop("validation"), options.pop("progress")
    train_adapter(
        loaded,
        EXAMPLES,
        validation,
        Recipe(
            adapter=AdapterConfig(rank=2, targets="all", dropout=0), train=RECIPE.model_copy(update=options)
        ),
        folder,
        progress=progress,
    )
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def stopped(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopping") / "stopped"
    return trained(loaded, folder, early_stopping=EarlyStoppingConfig(patience=2))


def test_training_ends_after_so_many_validations_without_a_new_lowest_loss(stopped: Path) -> None:
    losses = {line["step"]: line["eval_loss"] for line in lines(stopped) if "eval_loss" in line}
    best = min(losses, key=lambda step: losses[step])
    assert best > 0
    assert list(losses) == list(range(0, best + 2 * 4 + 1, 4))
    assert lines(stopped)[-1] == {"step": best + 8, "kept_step": best, "kept_eval_loss": losses[best]}
    assert best + 8 < 40


@pytest.mark.slow
def test_adapter_is_the_one_of_the_lowest_loss(loaded: LoadedModel, stopped: Path, tmp_path: Path) -> None:
    kept = lines(stopped)[-1]["kept_step"]
    until_then = trained(loaded, tmp_path, max_steps=kept, validation=[])
    assert weights(stopped) == weights(until_then)
    assert (stopped / "spectrum.json").read_bytes() == (tmp_path / "spectrum.json").read_bytes()


@pytest.mark.slow
def test_patience_that_never_ends_keeps_the_best_all_the_same(
    loaded: LoadedModel, stopped: Path, tmp_path: Path
) -> None:
    folder = trained(loaded, tmp_path, early_stopping=EarlyStoppingConfig(patience=99))
    assert lines(folder)[-1]["step"] == 40
    losses = {line["step"]: line["eval_loss"] for line in lines(folder) if "eval_loss" in line}
    assert lines(folder)[-1]["kept_eval_loss"] == min(losses.values()) < losses[40]
    if lines(folder)[-1]["kept_step"] == lines(stopped)[-1]["kept_step"]:
        assert weights(folder) == weights(stopped)


@pytest.mark.slow
def test_killed_training_ends_with_the_same_adapter_when_started_again(
    loaded: LoadedModel, stopped: Path, tmp_path: Path
) -> None:
    def kill(step: int, total: int) -> None:
        if step == 7:
            raise KeyboardInterrupt

    options = {"early_stopping": EarlyStoppingConfig(patience=2)}
    with pytest.raises(KeyboardInterrupt):
        trained(loaded, tmp_path, progress=kill, **options)
    trained(loaded, tmp_path, **options)
    assert weights(tmp_path) == weights(stopped)
    assert lines(tmp_path) == lines(stopped)


def test_without_validation_examples_it_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"train\.early_stopping needs a validation loss"):
        trained(loaded, tmp_path, validation=[], early_stopping=EarlyStoppingConfig())


@pytest.mark.parametrize(
    ("losses", "patience", "ends_at", "kept"),
    [
        ([3.0, 2.0, 1.0], 1, None, 2),
        ([3.0, 3.0], 1, 1, 0),
        ([3.0, 4.0, 2.0, 2.5, 2.4], 2, 4, 2),
        ([3.0, float("nan"), float("nan")], 2, 2, 0),
    ],
)
def test_waiting_is_counted_from_the_last_improvement(
    losses: list[float], patience: int, ends_at: int | None, kept: int
) -> None:
    stopping, model = KeepBestCallback(patience=patience), nn.Linear(1, 1)
    state = SimpleNamespace(global_step=0)
    control = SimpleNamespace(should_training_stop=False)
    stopping.on_train_begin(None, state, control)
    for step, loss in enumerate(losses):
        state.global_step = step
        nn.init.constant_(model.weight, step)
        stopping.on_log(None, state, control, model=model, logs={"eval_loss": loss})
        assert control.should_training_stop == (ends_at is not None and step >= ends_at)
    stopping.on_train_end(None, state, control, model=model)
    assert torch.equal(model.weight, torch.full((1, 1), float(kept)))
    assert (stopping.best_step, stopping.best) == (kept, losses[kept])
