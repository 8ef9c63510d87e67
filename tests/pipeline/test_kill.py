"""Runs that are killed, in every stage, and started again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.pipeline.conftest import small_experiment

from flextune.config import dump_experiment

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")

EVALUATE = "evaluate=[{language: py, limit: 12}, {language: js, limit: 6}]"


def start(file: Path, runs: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flextune", "run", str(file), "--runs", str(runs)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(process: subprocess.Popen[str], folder: Path, pattern: str, count: int) -> None:
    """Return once ``count`` files match, or the process has ended."""
    deadline = time.monotonic() + 120
    while process.poll() is None and len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def experiment_file(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("experiment") / "small.yaml"
    file.write_text(dump_experiment(small_experiment(model_folder, EVALUATE, "train.max_steps=12")))
    return file


@pytest.fixture(scope="module")
def uninterrupted(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    runs = tmp_path_factory.mktemp("uninterrupted")
    process = start(experiment_file, runs)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return (runs / "small" / "scores.json").read_bytes()


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("evaluated/*/completions.jsonl", 1),
        ("evaluated/*/verdicts.jsonl", 1),
        ("trained/*/training.jsonl", 1),
        ("trained/*/adapter", 1),
        ("evaluated/*/completions.jsonl", 4),
        ("evaluated/*/verdicts.jsonl", 6),
    ],
)
def test_killed_anywhere_and_run_again_it_ends_with_the_same_bytes(
    experiment_file: Path, uninterrupted: bytes, tmp_path: Path, pattern: str, count: int
):
    process = start(experiment_file, tmp_path)
    wait_for(process, tmp_path / "small", pattern, count)
    time.sleep(random.Random(f"{pattern}{count}").uniform(0, 0.4))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("small/trained/*/adapter/*")}
    again = start(experiment_file, tmp_path)
    _, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    assert (tmp_path / "small" / "scores.json").read_bytes() == uninterrupted
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


@pytest.mark.parametrize("pattern", ["trained/*/training.jsonl", "evaluated/*/verdicts.jsonl"])
def test_control_c_is_one_line_and_leaves_no_process(experiment_file: Path, tmp_path: Path, pattern: str):
    process = start(experiment_file, tmp_path)
    wait_for(process, tmp_path / "small", pattern, 1)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the run had ended before it could be interrupted")
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1].startswith("flextune: interrupted")
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
