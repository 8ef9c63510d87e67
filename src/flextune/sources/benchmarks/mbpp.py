"""MBPP's test split, zero-shot."""

from __future__ import annotations

from pathlib import Path

from flextune.data import mbpp
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark


def problems(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    """Tasks 11 to 510."""
    return mbpp.problems(mbpp.read(data_dir, split="test"))


BENCHMARKS.register(
    "mbpp",
    Benchmark("mbpp", "MBPP", ("py",), problems, elsewhere="multipl-e-mbpp has MBPP in other languages"),
)
