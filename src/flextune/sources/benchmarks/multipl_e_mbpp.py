"""MultiPL-E's second half: MBPP in other languages than Python."""

from __future__ import annotations

from pathlib import Path

from flextune.data import multipl_e
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark


def problems(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    """All problems of one language."""
    return multipl_e.problems(language, data_dir, "mbpp")


BENCHMARKS.register(
    "multipl-e-mbpp",
    Benchmark(
        "multipl-e-mbpp",
        "MultiPL-E MBPP",
        multipl_e.LANGUAGES,
        problems,
        elsewhere="mbpp has its problems in Python",
        translates="mbpp",
    ),
)
