"""What a task does, in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.pools import InProcess
from tests.support.small_experiment import small_experiment
from tests.support.units import of, plan_of

from flextune.files.locks import FileLock
from flextune.runner.cluster.executor import ClusterExecutor
from flextune.runner.cluster.node import terms
from flextune.runner.cluster.task import Order, do
from flextune.runner.units import Unit, units_of
from flextune.runs.run import Run


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """As a command has it that hands out work of the run in ``tmp_path``."""
    path = Run(tmp_path).lock_file("command-1")
    with FileLock(path):
        yield path


def order(unit: Unit, folder: Path, marker: Path) -> Order:
    return Order(unit, folder, terms(marker), None, 1, False, True)


def test_a_node_that_cannot_work_reports_why_and_does_nothing(tmp_path: Path, marker: Path) -> None:
    (unit, *_) = of("train", units_of(plan_of(), Run(tmp_path), 1))
    asked = order(unit, tmp_path, marker)
    report = do(replace(asked, terms={**asked.terms, "marker": str(tmp_path / "elsewhere/locks/command-1")}))
    assert "does not see the run's folder" in str(report.error)
    assert not (tmp_path / "trained").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("sandboxed")
def test_a_run_in_units_ends_with_the_bytes_of_one_that_is_not(tmp_path: Path, model_folder: Path) -> None:
    from flextune.runner.execute import RunOptions, run_experiment

    experiment, pool = small_experiment(model_folder), InProcess(ends=lambda order, times: do(order))
    executor = ClusterExecutor(pool, 1)
    run_experiment(experiment, tmp_path / "units/small", RunOptions(executor=executor))
    assert {each.unit.kind for each in pool.given} == {"train", "generate", "judge"}
    run_experiment(experiment, tmp_path / "whole/small", RunOptions(workers=1))
    written = [(tmp_path / name / "small/scores.json").read_bytes() for name in ("units", "whole")]
    assert written[0] == written[1]
    # What is finished is handed out to nobody.
    done = len(pool.given)
    run_experiment(experiment, tmp_path / "units/small", RunOptions(executor=executor))
    assert len(pool.given) == done
    executor.close()


@pytest.fixture
def training(tmp_path: Path, model_folder: Path) -> Unit:
    """A unit of the small experiment in ``tmp_path``."""
    from flextune.runner.execute import Execution, RunOptions

    plan = Execution(tmp_path, RunOptions()).plan(small_experiment(model_folder))
    return of("train", units_of(plan, Run(tmp_path), 1))[0]


@pytest.mark.slow
def test_a_task_waits_until_a_given_up_one_lets_its_keys_go(
    tmp_path: Path, marker: Path, training: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = training.makes
    other = FileLock(Run(tmp_path).lock_file(key))
    other.take()
    begun = []

    def other_ends(seconds: float) -> None:
        begun.append(Run(tmp_path).trained(key).folder.exists())
        other.close()

    # Only the waiting for a key sleeps before the training is there.
    monkeypatch.setattr(time, "sleep", other_ends)
    report = do(order(training, tmp_path, marker))
    assert report.error is None
    assert begun[0] is False
    assert training.is_done(Run(tmp_path))


@pytest.mark.slow
def test_a_model_that_is_another_one_here_is_refused(tmp_path: Path, marker: Path, training: Unit) -> None:
    assert training.training is not None
    model = replace(training.training.model, identity="sha256:0123")
    other = replace(training, training=replace(training.training, model=model))
    report = do(order(other, tmp_path, marker))
    assert f"model {model.name} is another one on node" in str(report.error)
    assert not training.is_done(Run(tmp_path))
