"""A training that is resumed from a checkpoint ends as one that never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerCallback

from flextune.config import AdapterConfig, PenaltyConfig, Recipe, TrainConfig, optimizer
from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.training.engine import train_adapter

EXAMPLES = [Example(str(n), f"say {n % 4}: ", "ab" * (n % 4 + 1)) for n in range(16)]
TRAIN = TrainConfig(max_steps=6, batch_size=4, learning_rate=1e-2, max_length=64, logging_steps=1)


class SaveAt(TrainerCallback):
    """Asks for a checkpoint after one step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save = state.global_step == self.step


@pytest.mark.parametrize("name", ["adamw", "sophia"])
def test_a_resumed_training_ends_with_the_same_bytes(loaded: LoadedModel, tmp_path: Path, name: str) -> None:
    recipe = Recipe(
        adapter=AdapterConfig(rank=2, targets="all", dropout=0.1),
        train=TRAIN,
        optimizer=optimizer(name),
        penalty=PenaltyConfig(),
    )
    whole, again = tmp_path / "whole", tmp_path / "again"
    train_adapter(loaded, EXAMPLES, EXAMPLES[:3], recipe, whole, callbacks=[SaveAt(3)])
    train_adapter(loaded, EXAMPLES, EXAMPLES[:3], recipe, again, resume=whole / "checkpoint-3")
    weights = [folder / "adapter" / "adapter_model.safetensors" for folder in (whole, again)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_folder_that_is_no_checkpoint_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"no trainer_state\.json; it is not a checkpoint"):
        train_adapter(loaded, EXAMPLES, [], Recipe(train=TRAIN), tmp_path / "a", resume=tmp_path)
