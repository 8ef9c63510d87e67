"""A run directory as a finished experiment leaves it, with outcomes drawn from a fixed seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.fake_run import FakeRun


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full run that no test changes."""
    return FakeRun(tmp_path_factory.mktemp("runs") / "quickstart").write()


@pytest.fixture
def small_run(tmp_path: Path) -> Path:
    """A run of few problems that a test may damage."""
    return FakeRun(tmp_path / "quickstart", problems=6).write()
