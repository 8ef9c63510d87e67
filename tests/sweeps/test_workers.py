"""Several workers of one sweep, and workers that are killed: no trial is lost, none is run twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from tests.support.postgres import postgres
from tests.support.pretend import pretend_sweep, work

from flextune.config import Experiment
from flextune.runner.execute import RunOptions
from flextune.sweeps.sweep import run_sweep

pytestmark = pytest.mark.processes

SEED = 3
GRID = {"penalty.strength": [0.001, 0.01, 0.02], "decode.temperature": [0.1, 0.3, 0.5, 0.7]}
TPE = {"penalty.strength": {"low": 0.001, "high": 0.02, "log": True}, "decode.temperature": [0.1, 0.5, 0.9]}


def start(experiment: Experiment, folder: Path, data: Path) -> BaseProcess:
    """A worker in a process of its own."""
    process = multiprocessing.get_context("fork").Process(
        target=run_sweep, args=(experiment, folder, RunOptions(data_dir=data))
    )
    process.start()
    return process


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reached(folder: Path, moment: int, workers: list[BaseProcess]) -> bool:
    """Whether so many lines of work are there, or nobody is at it any more."""
    return len(work(folder)) >= moment or not any(worker.is_alive() for worker in workers)


def check_complete(folder: Path, trials: int) -> dict[str, Any]:
    """Every trial is there once and done, and every piece of work was finished once."""
    rows = [json.loads(path.read_text()) for path in sorted((folder / "sweep/trials").glob("*.json"))]
    assert [row["number"] for row in rows] == list(range(trials))
    assert {row["state"] for row in rows} == {"done"}
    finished = Counter((line["what"], line["key"]) for line in work(folder) if line["what"].endswith("ed"))
    assert set(finished.values()) == {1}
    for row in rows:
        assert ("trained", row["training"]) in finished
        assert all(("judged", key) in finished for key in row["judgings"])
    return json.loads((folder / "swept.json").read_text())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "pace").write_text("0.03")
    return folder


def test_workers_share_a_grid_and_end_with_what_one_would_have_found(tmp_path: Path, data: Path) -> None:
    experiment = pretend_sweep(keys=GRID)
    workers = [start(experiment, tmp_path / "three", data) for _ in range(3)]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    found = check_complete(tmp_path / "three", 12)
    assert len({line["worker"] for line in work(tmp_path / "three")}) > 1
    alone = run_sweep(experiment, tmp_path / "one", RunOptions()).found
    for key in ("chosen", "honest", "naive", "cross_fit", "max_t"):
        assert found[key] == json.loads(json.dumps(alone[key])), key


@pytest.mark.parametrize("search", ["grid", "tpe"])
def test_killed_workers_lose_no_trial_and_run_none_twice(tmp_path: Path, data: Path, search: str) -> None:
    pytest.importorskip("optuna")
    options = [] if search == "grid" else ["sweep={search: tpe, trials: 8}"]
    experiment = pretend_sweep(*options, keys=GRID if search == "grid" else TPE)
    folder, rng, killed = tmp_path / "run", random.Random(SEED), 0
    for moment in (1, 6, 12):
        workers = [start(experiment, folder, data) for _ in range(2)]
        until(partial(reached, folder, moment, workers))
        time.sleep(rng.uniform(0, 0.05))
        for worker in workers:
            if worker.is_alive():
                os.kill(worker.pid or 0, signal.SIGKILL)
                killed += 1
            worker.join()
    assert killed >= 2, f"seed {SEED}: nothing was killed"
    run_sweep(experiment, folder, RunOptions())
    check_complete(folder, 12 if search == "grid" else 8)


def test_a_dead_worker_s_trial_is_taken_over_by_one_that_lives(tmp_path: Path, data: Path) -> None:
    experiment = pretend_sweep(keys=GRID)
    (data / "pace").write_text("30")
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "pace").write_text("0")
    folder = tmp_path / "run"
    first = start(experiment, folder, data)
    until(lambda: len(work(folder)) >= 1)
    os.kill(first.pid or 0, signal.SIGKILL)
    first.join()
    second = start(experiment, folder, slow)
    second.join()
    assert second.exitcode == 0
    check_complete(folder, 12)


def test_workers_share_a_real_postgresql(tmp_path: Path, data: Path) -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("psycopg")
    with postgres() as url:
        experiment = pretend_sweep(f"sweep={{search: tpe, trials: 14, storage: '{url}'}}", keys=TPE)
        folder = tmp_path / "run"
        workers = [start(experiment, folder, data) for _ in range(3)]
        until(lambda: len(work(folder)) >= 6 or not all(w.is_alive() for w in workers))
        os.kill(workers[0].pid or 0, signal.SIGKILL)
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [-signal.SIGKILL, 0, 0]
        check_complete(folder, 14)
        assert states(url) == {"COMPLETE": 14}
        other = pretend_sweep(f"sweep={{search: tpe, trials: 14, storage: '{url}', seed: 7}}", keys=TPE)
        from flextune.errors import FlextuneError

        with pytest.raises(FlextuneError, match="its study 'pretend' was made by another sweep"):
            run_sweep(other, tmp_path / "other", RunOptions())


def states(url: str) -> dict[str, int]:
    """How many trials of each state the database holds."""
    import psycopg

    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT state::text, count(*) FROM trials GROUP BY 1").fetchall()
    return {state: int(number) for state, number in rows}
