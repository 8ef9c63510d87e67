from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.command_line import Call, Said
from tests.support.finished_run import FinishedRun
from tests.support.tiny import tiny_model

from flextune.cli.app import run
from flextune.judging import isolation

SMALL = """
name: small
model: {model}
train: {{data: rosetta, lexicon: reserved, format: docstring, max_steps: 2, batch_size: 2, limit: 4,
        validation_size: 0}}
decode: [{{max_new_tokens: 8, batch_size: 2}}]
evaluate: [{{language: py, limit: 3}}]
judge: {{cpu_seconds: 2}}
arms:
  - {{name: baseline, train: null}}
  - {{name: lora}}
"""


@pytest.fixture
def flextune(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Calls the entry point as the shell does, in this process."""
    handler = signal.getsignal(signal.SIGTERM)

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["flextune", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            run()
        said = capsys.readouterr()
        return Said(int(done.value.code or 0), said.out, said.err)

    yield call
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def only_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Leaves nothing on PATH but the named programs."""

    def leave(*programs: str) -> None:
        folder = tmp_path / "path"
        folder.mkdir()
        for program in programs:
            (folder / program).symlink_to(_which(program))
        monkeypatch.setenv("PATH", str(folder))
        isolation.cache_clear()

    yield leave
    isolation.cache_clear()


def _which(program: str) -> Path:
    folders = map(Path, os.environ["PATH"].split(os.pathsep))
    found = next((folder / program for folder in folders if (folder / program).exists()), None)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny", max_position_embeddings=1024)


@pytest.fixture(scope="session")
def experiment_file(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("experiment") / "small.yaml"
    file.write_text(SMALL.format(model=model_folder))
    return file


@pytest.fixture
def finished_run(tmp_path: Path) -> Path:
    """A finished run whose outcomes are drawn: nothing was trained or judged."""
    return FinishedRun(tmp_path / "runs" / "quickstart", problems=6).write()


@pytest.fixture(scope="session")
def finished(sandboxed: None, experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one finished run, ``small``; all tests share it, and none writes into it."""
    from flextune.config import load_experiment
    from flextune.runner.execute import RunOptions, run_experiment

    runs = tmp_path_factory.mktemp("runs")
    run_experiment(load_experiment(experiment_file), runs / "small", RunOptions())
    return runs


@pytest.fixture
def runs(finished: Path, tmp_path: Path) -> Path:
    """A copy of ``finished`` to write into."""
    folder = tmp_path / "runs"
    shutil.copytree(finished, folder, copy_function=shutil.copy2)
    return folder
