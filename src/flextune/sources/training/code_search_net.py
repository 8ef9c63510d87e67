"""CodeSearchNet: functions with their documentation, in six languages."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.data import code_search_net
from flextune.records import Example
from flextune.registry import TRAINING_SOURCES
from flextune.sources.holdout import held_out
from flextune.sources.training.base import TrainingSource

if TYPE_CHECKING:
    from flextune.config import TrainConfig


def examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """The first functions of one language; of hundreds of thousands no more are read than are wanted."""
    rows = code_search_net.published_rows(train.language, data_dir)
    found = code_search_net.examples(rows, train.language, docstring=train.format == "docstring")
    wanted = None if train.limit is None else train.limit + train.validation_size
    training, validation = held_out(islice(found, wanted), train.validation_size)
    return training[: train.limit], validation


TRAINING_SOURCES.register(
    "codesearchnet",
    TrainingSource("codesearchnet", "CodeSearchNet", tuple(code_search_net.LANGUAGES), examples),
)
