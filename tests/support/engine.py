"""Short trainings of the tiny model by ``train_adapter``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from flextune.config import AdapterConfig, PenaltyConfig, Recipe, TrainConfig
from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.training.engine import train_adapter

ADAPTER = AdapterConfig(rank=2, targets="all")
RECIPE = TrainConfig(
    max_steps=12,
    batch_size=4,
    learning_rate=1e-2,
    logging_steps=5,
    max_length=64,
    warmup_steps=0.1,
    weight_decay=0.01,
)
EXAMPLES = [Example(str(n), f"say {n % 4}: ", "ab" * (n % 4 + 1)) for n in range(22)]
HELD_OUT = EXAMPLES[:5]


def train(loaded: LoadedModel, folder: Path, **changes: Any) -> Path:
    """With a penalty; ``changes`` are sections of the recipe, the examples, or options of the engine."""
    sections = {"adapter": ADAPTER, "train": RECIPE, "penalty": PenaltyConfig()}
    given = {key: changes.pop(key) for key in Recipe.model_fields if key in changes}
    examples, validation = changes.pop("examples", EXAMPLES), changes.pop("validation", HELD_OUT)
    train_adapter(loaded, examples, validation, Recipe(**{**sections, **given}), folder, **changes)
    return folder


def recipe(**changes: Any) -> TrainConfig:
    return TrainConfig.model_validate({**RECIPE.model_dump(), **changes})


def weights(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "adapter_model.safetensors")
