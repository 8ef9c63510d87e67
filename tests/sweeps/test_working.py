"""The trials of a sweep side by side in threads, as on a cluster, without a model."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.pretend import Pretend, pretend_sweep, work

from flextune.errors import FlextuneError
from flextune.runner.execute import RunOptions
from flextune.runner.plan import Plan
from flextune.runner.units import Unit
from flextune.sweeps.sweep import run_sweep

GRID = {"penalty.strength": [0.001, 0.01], "decode.temperature": [0.1, 0.3, 0.5]}


class ThreeSlots:
    """What threads need of an executor: here each thread does its work itself."""

    slots = 3

    def __init__(self) -> None:
        self.stopped = False

    def work(self, units: Sequence[Unit], run: Any, options: Any) -> None:
        raise AssertionError("no unit is handed out here")

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of the threads that evaluated a trial."""
    names: set[str] = set()
    # The first evaluations wait until three threads are at one.
    meeting = threading.Barrier(3)

    def evaluate(self: Pretend, plan: Plan, before: Callable[..., None] = Pretend.evaluate) -> None:
        name = threading.current_thread().name
        if name.startswith("trial") and name not in names:
            names.add(name)
            meeting.wait(timeout=60)
        before(self, plan)

    monkeypatch.setattr(Pretend, "evaluate", evaluate)
    return names


@pytest.mark.slow
def test_trials_in_threads_end_with_what_one_after_the_other_would_have_found(
    tmp_path: Path, threads: set[str]
) -> None:
    experiment = pretend_sweep(keys=GRID)
    found = run_sweep(experiment, tmp_path / "three", RunOptions(executor=ThreeSlots())).found
    assert len(threads) == 3
    alone = run_sweep(experiment, tmp_path / "one", RunOptions()).found
    for key in ("chosen", "honest", "naive", "cross_fit", "max_t"):
        assert json.loads(json.dumps(found[key])) == json.loads(json.dumps(alone[key])), key
    finished = Counter((line["what"], line["key"]) for line in work(tmp_path / "three"))
    assert set(finished.values()) == {1}
    rows = [json.loads(path.read_text()) for path in sorted((tmp_path / "three/sweep/trials").glob("*.json"))]
    assert [row["state"] for row in rows] == ["done"] * 6


def test_a_trial_that_fails_stops_the_others_and_is_what_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(self: Pretend, plan: Plan, before: Callable[..., None] = Pretend.evaluate) -> None:
        if threading.current_thread().name.startswith("trial"):
            raise FlextuneError("no sandbox")
        before(self, plan)

    monkeypatch.setattr(Pretend, "evaluate", evaluate)
    executor = ThreeSlots()
    with pytest.raises(FlextuneError, match=r"^no sandbox$"):
        run_sweep(pretend_sweep(keys=GRID), tmp_path / "run", RunOptions(executor=executor))
    assert executor.stopped


def test_a_search_in_turn_tries_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: set[str] = set()

    def evaluate(self: Pretend, plan: Plan, before: Callable[..., None] = Pretend.evaluate) -> None:
        names.add(threading.current_thread().name)
        before(self, plan)

    monkeypatch.setattr(Pretend, "evaluate", evaluate)
    sweep = pretend_sweep("sweep={search: bracket, trials: 4}", keys={"penalty.strength": 2})
    run_sweep(sweep, tmp_path / "run", RunOptions(executor=ThreeSlots()))
    assert names == {threading.main_thread().name}
