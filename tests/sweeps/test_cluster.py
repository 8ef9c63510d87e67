"""Units on a real Ray cluster of two nodes: a node that goes, a process that is lost, an interruption."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.notes import Notes
from tests.support.ray_cluster import TwoNodes, two_nodes

import flextune
from flextune.config import Experiment, make_experiment
from flextune.errors import FlextuneError
from flextune.runner.cluster.joining import joined
from flextune.runner.execute import RunOptions, train_experiment
from flextune.runs.run import Run
from flextune.sweeps.sweep import run_sweep

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("sandboxed")]

TRAIN = {
    "data": "rosetta",
    "format": "docstring",
    "max_steps": 30,
    "save_steps": 5,
    "batch_size": 2,
    "learning_rate": 2e-3,
    "limit": 24,
    "validation_size": 2,
    "logging_steps": 1,
    "max_length": 128,
}
#: Two adapters, each decoded in two ways.
SWEEP = {
    "name": "clustered",
    "device": "cpu",
    "train": TRAIN,
    "adapter": {"rank": 2, "alpha": 4},
    "penalty": {"strength": 0.01},
    "decode": [{"strategy": "greedy", "max_new_tokens": 60}],
    "evaluate": [{"language": "py", "limit": 8}],
    "seeds": [0],
    "sweep": {"keys": {"decode.max_new_tokens": [40, 60], "penalty.strength": [0.001, 0.01]}},
}


@pytest.fixture(autouse=True)
def pretending() -> None:
    """Here everything is real."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    with two_nodes() as nodes:
        yield nodes


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do ``work`` in a thread beside the block; fail with it."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert not failures, failures


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begun(folder: Path, steps: int) -> list[Path]:
    """Trainings that have written so many lines and are not finished."""
    logs = {log.parent: len(log.read_text().splitlines()) for log in folder.glob("trained/*/training.jsonl")}
    return [path for path, lines in logs.items() if lines >= steps and not (path / "adapter").exists()]


def results(folder: Path) -> dict[str, Any]:
    """What does not depend on how long it took."""
    found = json.loads((folder / "swept.json").read_text())
    found["trials"] = [{k: v for k, v in row.items() if k != "seconds"} for row in found["trials"]]
    return found


def contents(folder: Path, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob(pattern)}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep as one process does it."""
    folder = tmp_path_factory.mktemp("alone") / "clustered"
    run_sweep(make_experiment(SWEEP, where="x"), folder, RunOptions(workers=1))
    return folder


def test_a_node_removed_in_mid_run_changes_no_result(
    cluster: TwoNodes, tmp_path: Path, alone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, notes, second = tmp_path / "clustered", Notes(), cluster.add_second()

    def remove_second() -> None:
        # One is on either node.
        until(lambda: len(begun(folder, 3)) == 2)
        cluster.remove(second)

    capfd.readouterr()
    with meanwhile(remove_second), joined(cluster.address, None) as executor:
        assert executor is not None
        assert executor.slots == 2
        run_sweep(make_experiment(SWEEP, where="x"), folder, RunOptions(reporter=notes, executor=executor))
    assert capfd.readouterr() == ("", ""), "Ray writes nothing of its own"
    assert any("done again" in text for text in notes.texts), notes.texts
    assert (folder / "scores.json").read_bytes() == (alone / "scores.json").read_bytes()
    assert results(folder) == results(alone)
    assert contents(folder, "trained/*/adapter/*.safetensors") == contents(
        alone, "trained/*/adapter/*.safetensors"
    )
    # Nothing that was finished was done again: each line is there once.
    for name in ("trained/*/training.jsonl", "generated/*/completions.jsonl", "judged/*/verdicts.jsonl"):
        here, there = contents(folder, name), contents(alone, name)
        assert {k: v.count(b"\n") for k, v in here.items()} == {k: v.count(b"\n") for k, v in there.items()}
    assert not list(folder.glob("locks/command-*"))


def experiment(model: Path, **changes: Any) -> Experiment:
    # The tiny model reads bytes: a prompt alone is longer than this.
    train = {**TRAIN, "max_length": 64, "loss": "full", **changes.pop("train", {})}
    raw = {"name": "small", "model": str(model), "train": train, "adapter": {"rank": 2}, "penalty": None}
    return make_experiment({**raw, **changes}, where="x")


def test_what_is_stopped_has_saved_and_continues_from_there(
    cluster: TwoNodes, tmp_path: Path, model_folder: Path
) -> None:
    wanted = experiment(model_folder, train={"max_steps": 3000, "save_steps": 1000})
    with joined(cluster.address, None) as executor:
        assert executor is not None

        def stop() -> None:
            until(lambda: bool(begun(tmp_path / "run", 3)))
            executor.stop()

        with meanwhile(stop), pytest.raises(KeyboardInterrupt):
            train_experiment(wanted, tmp_path / "run", RunOptions(executor=executor))
    (training,) = Run(tmp_path / "run").trainings()
    assert list(training.folder.glob("checkpoints/*"))
    assert not training.finished


def test_a_unit_whose_process_is_lost_again_and_again_is_named(
    cluster: TwoNodes, tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    from flextune.runner.cluster import executor as module

    monkeypatch.setattr(module, "ATTEMPTS", 2)
    notes = Notes()
    with joined(cluster.address, None) as executor:
        assert executor is not None
        monkeypatch.setattr(executor._pool, "_task", ray.remote(max_retries=0)(lambda order: os._exit(1)))
        with pytest.raises(FlextuneError, match=r"^train small seed 0: its process was lost 2 times"):
            train_experiment(
                experiment(model_folder), tmp_path / "run", RunOptions(reporter=notes, executor=executor)
            )
    assert sum("done again" in text for text in notes.texts) == 1


@pytest.mark.parametrize("what", ["version", "code"])
def test_a_node_with_other_code_is_refused_in_a_line(
    cluster: TwoNodes, tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if what == "version":
        monkeypatch.setattr(flextune, "__version__", "9.9")
        line = r"^node \S+ has flextune [0-9.]+, the machine of this command 9.9; install"
    else:
        monkeypatch.setattr("flextune.runner.cluster.node.code_digest", lambda: "0123456789abcdef")
        line = r"^node \S+ has other code of flextune \S+ than the machine of this command"
    with joined(cluster.address, None) as executor, pytest.raises(FlextuneError, match=line):
        train_experiment(experiment(model_folder), tmp_path / "run", RunOptions(executor=executor))
    assert not (tmp_path / "run").exists()


def test_more_cpus_than_a_node_has_are_refused_in_a_line(
    cluster: TwoNodes, tmp_path: Path, model_folder: Path
) -> None:
    with (
        joined(cluster.address, 64) as executor,
        pytest.raises(FlextuneError, match=r"no node has 64 CPUs; lower --workers, or add nodes$"),
    ):
        train_experiment(experiment(model_folder), tmp_path / "run", RunOptions(executor=executor))
