"""A user's own rows: training examples from a file or the hub, and problems from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.data import training_rows
from flextune.data.origins import hub_rows, note_file, rows_of
from flextune.data.problem_rows import read_problems
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.files.tables import tables_in
from flextune.languages import LANGUAGES
from flextune.records import Example, Problem
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


def own_problems(path: Path, language: str) -> list[Problem]:
    """The problems of one language in a user's file, in its order; ``docs/rows.md`` says what is read.

    Raises:
        FlextuneError: The file cannot be read, a row of it is no problem, or none is in that language.
    """
    note_file(path)
    read = read_problems(path, LANGUAGES.names())
    if read.skipped:
        more = f" (and {len(read.skipped) - 1} more)" if len(read.skipped) > 1 else ""
        raise FlextuneError(f"{read.skipped[0]}{more}; mend or remove the row: no problem is left out unsaid")
    found = [problem for problem in read.found if problem.language == language]
    if not found:
        known = ", ".join(sorted({problem.language for problem in read.found}))
        raise FlextuneError(f"{path}: no problem in {language} (its languages: {known})")
    return found


def own_languages(path: Path) -> list[str]:
    """The languages of a user's problems, in the order in which they come.

    Raises:
        FlextuneError: The file cannot be read, or has no problem.
    """
    return list(dict.fromkeys(problem.language for problem in read_problems(path, LANGUAGES.names()).found))


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
