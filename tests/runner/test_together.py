"""The command line in two processes of torchrun: one works and writes, both train; one that dies is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.support.processes import needs_gloo
from tests.support.small_experiment import SMALL, small_experiment

from flextune.runner.execute import RunOptions, train_experiment

pytestmark = [needs_gloo, pytest.mark.processes, pytest.mark.slow]

WEIGHTS = "adapter_model.safetensors"
LONG = ["train.max_steps=40", "train.save_steps=2", "adapter.dropout=0"]


@contextmanager
def torchrun(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Two processes at one command, killed at the end if they still run."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "flextune"]
    process = subprocess.Popen(
        [*launcher, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
    )
    try:
        yield process
    finally:
        for each in [*workers(process), process.pid]:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.communicate()


def workers(launcher: subprocess.Popen[str]) -> list[int]:
    """The two processes, in the order of their ranks."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
    return sorted(map(int, children.read_text().split())) if children.exists() else []


@pytest.fixture(scope="module")
def file(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("experiment") / "small.yaml"
    written.write_text(f"{SMALL}model: {model_folder}\n")
    return written


@pytest.mark.usefixtures("sandboxed")
def test_killed_and_called_again_two_processes_end_with_the_run_of_one(
    file: Path, model_folder: Path, tmp_path: Path
) -> None:
    runs = str(tmp_path / "two")
    with torchrun("run", str(file), *LONG, "--runs", runs) as process:
        while not list(tmp_path.glob("two/small/trained/*/checkpoints/checkpoint-*")):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        os.kill(workers(process)[1], signal.SIGKILL)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    ours = [line for line in said.splitlines() if line.startswith("flextune: ")]
    assert ours == [
        "flextune: process 1 of 2 was killed, perhaps for want of memory; the same command goes on from the"
        " last checkpoint"
    ]
    with torchrun("run", str(file), *LONG, "--runs", runs) as process:
        printed, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert printed.count("report.html") == 1
    assert said.count("reading models and data") == 1
    assert (tmp_path / "two" / "small" / "scores.json").is_file()
    alone = train_experiment(small_experiment(model_folder, *LONG), tmp_path / "one", RunOptions())
    for adapter in alone:
        if (adapter / WEIGHTS).is_file():
            found = tmp_path / "two" / "small" / adapter.relative_to(tmp_path / "one") / WEIGHTS
            torch.testing.assert_close(load_file(found), load_file(adapter / WEIGHTS), rtol=1e-5, atol=1e-5)
