"""Rosetta in the forms of APPS and of CodeSearchNet: what the paper's later rounds train on, embedded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.data import apps_examples, code_search_net
from flextune.files.rows import Row
from flextune.records import Example
from flextune.registry import TRAINING_SOURCES
from flextune.rosetta.languages import LANGUAGES
from flextune.sources.training.base import TrainingSource

if TYPE_CHECKING:
    from flextune.config import TrainConfig


def contest_examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Rows of APPS's form, as the source ``apps`` reads them; nothing is read from ``data_dir``."""
    # numpy comes with it, which nobody should wait for who only asks for names.
    from flextune.rosetta.contest_rows import contest_rows

    def found(validation: bool) -> Iterator[Example]:
        return apps_examples.examples(
            _rows("rosetta-apps", contest_rows(train.lexicon, validation=validation)),
            difficulties=train.part.difficulty or (),
            form=train.part.form,
            solutions=train.part.solutions or 1,
            docstring=train.format == "docstring",
        )

    return list(islice(found(False), train.limit)), list(islice(found(True), train.validation_size))


def documented_examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Rows of CodeSearchNet's form, as the source ``codesearchnet`` reads them."""
    from flextune.rosetta.documented_rows import documented_rows

    def found(limit: int | None, validation: bool) -> list[Example]:
        rows = documented_rows(train.language, train.lexicon, limit=limit, validation=validation)
        named = _rows("rosetta-codesearchnet", rows)
        docstring = train.format == "docstring"
        return list(code_search_net.examples(named, train.language, docstring=docstring))

    return found(train.limit, False), found(train.validation_size, True)


def _rows(name: str, rows: Iterable[dict[str, Any]]) -> Iterator[Row]:
    return (Row(f"{name}:{number}", fields) for number, fields in enumerate(rows, start=1))


TRAINING_SOURCES.register(
    "rosetta-apps",
    TrainingSource(
        "rosetta-apps",
        "Rosetta as APPS",
        ("py",),
        contest_examples,
        has_lexicons=True,
        options=("language", "lexicon", "format", "difficulty", "solutions", "form"),
    ),
)
TRAINING_SOURCES.register(
    "rosetta-codesearchnet",
    TrainingSource(
        "rosetta-codesearchnet",
        "Rosetta as CodeSearchNet",
        tuple(LANGUAGES),
        documented_examples,
        has_lexicons=True,
        options=("language", "lexicon", "format"),
    ),
)
