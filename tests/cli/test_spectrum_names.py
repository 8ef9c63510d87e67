"""What ``flextune spectrum`` calls adapters."""

from __future__ import annotations

import shutil
from pathlib import Path

from flextune.cli.spectrum import _named
from flextune.runs.run import Run


def adapters(run: Path, arm: str) -> list[str]:
    """Folders of an arm's adapters."""
    scores = [score for score in Run(run).scores.scores if score.arm == arm]
    keys = dict.fromkeys(key for score in scores for key in score.trainings.values() if key)
    return [str(run / "trained" / key / "adapter") for key in keys]


def test_an_adapter_of_a_run_is_called_by_arm_and_seed(finished_run: Path, tmp_path: Path) -> None:
    lora = adapters(finished_run, "lora")
    assert list(_named([*lora, "mine=elsewhere", str(tmp_path / "other" / "adapter")])) == [
        *(f"lora seed {seed}" for seed in range(3)),
        "mine",
        "other/adapter",
    ]


def test_the_same_arm_of_two_runs_is_called_by_its_path(finished_run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished_run, tmp_path / "second")
    first, second = adapters(finished_run, "lora")[0], adapters(copy, "lora")[0]
    names = list(_named([first, second]))
    assert names[0].startswith("quickstart/trained/")
    assert names[1].startswith("second/trained/")
