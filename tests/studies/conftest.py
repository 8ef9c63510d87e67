from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.finished_run import FinishedRun


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full run that no test changes."""
    return FinishedRun(tmp_path_factory.mktemp("runs") / "quickstart").write()


@pytest.fixture
def small_run(tmp_path: Path) -> Path:
    """A run of few problems that a test may damage."""
    return FinishedRun(tmp_path / "quickstart", problems=6).write()
