from __future__ import annotations

import pytest
from tests.support.pretend import Pretend


@pytest.fixture(autouse=True)
def pretending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps without a model."""
    monkeypatch.setattr("flextune.sweeps.sweep.Execution", Pretend)
    monkeypatch.setattr("flextune.sweeps.outline.Execution", Pretend)
    monkeypatch.setattr("flextune.sweeps.sweep.check_trainings", lambda trainings: None)
