"""MultiPL-E: HumanEval in other languages than Python."""

from __future__ import annotations

from pathlib import Path

from flextune.data import multipl_e
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark


def problems(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    """All problems of one language."""
    return multipl_e.problems(language, data_dir, "humaneval")


BENCHMARKS.register(
    "multipl-e",
    Benchmark(
        "multipl-e",
        "MultiPL-E",
        multipl_e.LANGUAGES,
        problems,
        elsewhere="humaneval has its problems in Python",
        translates="humaneval",
    ),
)
