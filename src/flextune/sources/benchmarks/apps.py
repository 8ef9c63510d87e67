"""APPS's test split."""

from __future__ import annotations

from pathlib import Path

from flextune.data import apps
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark


def problems(language: str, lexicon: str, limit: int | None, data_dir: Path | None) -> list[Problem]:
    """Tasks that have tests."""
    return apps.problems(apps.read(data_dir))


BENCHMARKS.register("apps", Benchmark("apps", "APPS", ("py",), problems))
