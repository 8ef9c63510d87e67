"""Rows of a user's own, from a file or the hub, as a source like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.data import training_rows
from flextune.data.origins import hub_rows, rows_of
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.files.tables import tables_in
from flextune.languages import LANGUAGES
from flextune.records import Example
from flextune.sources.holdout import held_out
from flextune.sources.training.base import TrainingSource

if TYPE_CHECKING:
    from flextune.config import DataPart, TrainConfig

_OPTIONS = ("columns", "validation", "language")
_INSTEAD = "or give the rows as a file: path: FILE.jsonl"


def own_source(part: DataPart) -> TrainingSource:
    """The source of a part that names a file, a folder or a hub dataset."""
    options = _OPTIONS if part.hub is None else (*_OPTIONS, "config", "split")
    return TrainingSource(part.name, part.name, tuple(LANGUAGES.names()), _examples, options=options)


def _examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """A user's rows; nothing is read from ``data_dir``.

    Validation examples come from the file or split that ``validation`` names; without one they are held out.
    """
    part = train.part
    rows = training_rows.examples(_rows(part, part.path, part.split or "train"), part.columns)
    if part.validation is None:
        training, validation = held_out(rows, train.validation_size)
    else:
        training = list(rows)
        others = _rows(part, part.validation, part.validation)
        validation = list(training_rows.examples(others, part.columns))[: train.validation_size]
    if not training:
        raise FlextuneError(f"train.data {part.name}: no rows in it")
    return training[: train.limit], validation


def _rows(part: DataPart, path: str | None, split: str) -> Iterator[Row]:
    if part.hub is not None:
        return hub_rows(part.hub, part.config, split, _INSTEAD)
    return rows_of(tables_in(Path(str(path))))
