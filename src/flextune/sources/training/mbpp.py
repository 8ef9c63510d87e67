"""MBPP's train and validation splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flextune.data import mbpp
from flextune.records import Example
from flextune.registry import TRAINING_SOURCES
from flextune.sources.training.base import TrainingSource

if TYPE_CHECKING:
    from flextune.config import TrainConfig


def examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """The first of the 374 training tasks, and of the 90 validation tasks."""
    training = mbpp.examples(mbpp.read(data_dir, split="train"), train.format)
    validation = mbpp.examples(mbpp.read(data_dir, split="validation"), train.format)
    return training[: train.limit], validation[: train.validation_size]


TRAINING_SOURCES.register("mbpp", TrainingSource("mbpp", "MBPP", ("py",), examples))
