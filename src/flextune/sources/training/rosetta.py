"""Rosetta's fine-tuning split, in any of its languages."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.data import mbpp
from flextune.files.rows import Row
from flextune.records import Example
from flextune.registry import TRAINING_SOURCES
from flextune.rosetta.languages import LANGUAGES
from flextune.sources.training.base import TrainingSource

if TYPE_CHECKING:
    from flextune.config import TrainConfig


def examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Lessons in the lexicon of ``train``; nothing is read from ``data_dir``.

    In several languages they are parallel programs: each problem comes in all of them, one after the other.
    """
    languages = train.part.languages or [train.language]
    return (
        _parallel(languages, train, train.limit, validation=False),
        _parallel(languages, train, train.validation_size, validation=True),
    )


def _parallel(
    languages: list[str], train: TrainConfig, limit: int | None, *, validation: bool
) -> list[Example]:
    each = None if limit is None else math.ceil(limit / len(languages))
    by_language = [_lessons(name, train.lexicon, train.format, each, validation) for name in languages]
    if len(languages) == 1:
        return list(by_language[0])
    rows = zip(*by_language, strict=True)
    named = [(name, example) for row in rows for name, example in zip(languages, row, strict=True)]
    return [replace(example, name=f"{example.name}/{name}") for name, example in named][:limit]


# Made again for every training of a search, they would take longer than a short training.
@lru_cache(maxsize=8)
def _lessons(
    language: str, lexicon: str, form: mbpp.Format, limit: int | None, validation: bool
) -> tuple[Example, ...]:
    # numpy comes with it, which nobody should wait for who only asks for names.
    from flextune.rosetta import examples as rosetta

    if language != "py":
        return tuple(rosetta.examples(language, lexicon=lexicon, limit=limit, validation=validation))
    found = rosetta.training_rows(lexicon=lexicon, limit=limit, validation=validation)
    rows = (Row(f"rosetta:{number}", fields) for number, fields in enumerate(found, start=1))
    return tuple(mbpp.examples(mbpp.parse(rows), form))


TRAINING_SOURCES.register(
    "rosetta",
    TrainingSource(
        "rosetta",
        "Rosetta",
        tuple(LANGUAGES),
        examples,
        has_lexicons=True,
        options=("language", "languages", "lexicon", "format"),
    ),
)
