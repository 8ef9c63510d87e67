"""HumanEval, as published."""

from __future__ import annotations

from pathlib import Path

from flextune.data import humaneval
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark


def problems(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    """All 164 problems."""
    return humaneval.problems(data_dir)


BENCHMARKS.register(
    "humaneval",
    Benchmark(
        "humaneval",
        "HumanEval",
        ("py",),
        problems,
        elsewhere="multipl-e has HumanEval in other languages",
    ),
)
