"""Rosetta: the embedded benchmark."""

from __future__ import annotations

from pathlib import Path

from flextune.data import multipl_e
from flextune.files.rows import Row
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.rosetta.languages import LANGUAGES
from flextune.sources.benchmarks.base import Benchmark


def problems(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    """The evaluation set; nothing is read from ``data_dir``."""
    # numpy comes with it, which nobody should wait for who only asks for names.
    from flextune.rosetta.rows import rows

    return [
        multipl_e.problem(Row(f"rosetta-{language}:{number}", fields), benchmark="rosetta")
        for number, fields in enumerate(rows(language, lexicon=lexicon, limit=limit), start=1)
    ]


BENCHMARKS.register(
    "rosetta",
    Benchmark("rosetta", "Rosetta", tuple(LANGUAGES), problems, has_lexicons=True, translates="rosetta"),
)
