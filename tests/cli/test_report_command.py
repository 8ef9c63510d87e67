"""``flextune report`` beyond what ``tests/cli/test_runs.py`` asks of a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.command_line import Call


@pytest.mark.slow
def test_pictures_that_no_study_has_are_not_passed_over_in_silence(
    flextune: Call, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flextune.studies.writing.studies_of", lambda run: {})
    said = flextune("report", finished_run, "--format", "html")
    assert said.out == f"{finished_run}/report.html\n"
    assert said.err.startswith(f"no study of this run has figures; flextune figures {finished_run} writes")
    assert flextune("report", finished_run).err == ""
