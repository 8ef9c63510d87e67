"""APPS's train split: problems of programming contests, with one or more solutions each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flextune.data import apps, apps_examples
from flextune.records import Example
from flextune.registry import TRAINING_SOURCES
from flextune.sources.holdout import held_out
from flextune.sources.training.base import TrainingSource

if TYPE_CHECKING:
    from flextune.config import TrainConfig


def examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Problems of the wanted kinds; whole problems are held out for validation."""
    part = train.part
    found = apps_examples.examples(
        apps.published_rows(data_dir, "train"),
        difficulties=part.difficulty or (),
        form=part.form,
        solutions=part.solutions or 1,
        docstring=train.format == "docstring",
    )
    training, validation = held_out(found, train.validation_size)
    return training[: train.limit], validation


TRAINING_SOURCES.register(
    "apps",
    TrainingSource(
        "apps",
        "APPS",
        ("py",),
        examples,
        options=("language", "format", "difficulty", "solutions", "form"),
    ),
)
