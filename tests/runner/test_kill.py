"""Runs that are killed, in every stage, and started again."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from tests.support.processes import forking
from tests.support.small_experiment import small_experiment

from flextune.config import dump_experiment

pytestmark = [pytest.mark.usefixtures("sandboxed"), pytest.mark.processes]

CHANGES = ("evaluate=[{language: py, limit: 8}, {language: js, limit: 4}]", "train.max_steps=12")


def run_small(model: Path, folder: Path) -> None:
    from flextune.runner.execute import RunOptions, run_experiment

    os.setsid()
    # What was forked is no garbage; each training looks for some.
    gc.freeze()
    run_experiment(small_experiment(model, *CHANGES), folder, RunOptions())


@pytest.fixture(scope="module")
def start(model_folder: Path) -> Callable[[Path], BaseProcess]:
    """Starts a run in a process of its own."""
    context = forking()

    def begin(folder: Path) -> BaseProcess:
        process = context.Process(target=run_small, args=(model_folder, folder))
        process.start()
        return process

    return begin


@pytest.fixture(scope="module")
def uninterrupted(start: Callable[[Path], BaseProcess], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("uninterrupted") / "small"
    process = start(folder)
    process.join()
    assert process.exitcode == 0
    return (folder / "scores.json").read_bytes()


def wait_for(alive: Callable[[], bool], folder: Path, pattern: str, count: int) -> None:
    """Return once ``count`` files match, or the run has ended."""
    deadline = time.monotonic() + 120
    while alive() and len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("generated/*/completions.jsonl", 1),
        ("judged/*/verdicts.jsonl", 1),
        ("trained/*/training.jsonl", 1),
        ("trained/*/adapter", 1),
        ("generated/*/completions.jsonl", 4),
        ("judged/*/verdicts.jsonl", 6),
        ("scores.json", 1),
    ],
)
def test_killed_anywhere_and_run_again_it_ends_with_the_same_bytes(
    start: Callable[[Path], BaseProcess], uninterrupted: bytes, tmp_path: Path, pattern: str, count: int
):
    folder = tmp_path / "small"
    process = start(folder)
    wait_for(process.is_alive, folder, pattern, count)
    time.sleep(random.Random(f"{pattern}{count}").uniform(0, 0.3))
    if process.is_alive():
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    # The card gets scores later.
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("trained/*/adapter/adapter_*")}
    again = start(folder)
    again.join()
    assert again.exitcode == 0
    assert (folder / "scores.json").read_bytes() == uninterrupted
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


def test_control_c_is_one_line_and_leaves_no_process(model_folder: Path, tmp_path: Path):
    file = tmp_path / "small.yaml"
    file.write_text(dump_experiment(small_experiment(model_folder, "train.max_steps=100000")))
    command = [sys.executable, "-m", "flextune", "run", str(file), "--runs", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: process.poll() is None, tmp_path / "small", "trained/*/training.jsonl", 1)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1].startswith("flextune: interrupted")
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
