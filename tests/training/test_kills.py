"""Trainings that are killed at any moment, and go on."""

from __future__ import annotations

import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import forking
from tests.support.trainings import lines

from flextune.config import AdapterConfig, PenaltyConfig, Recipe, TrainConfig, optimizer
from flextune.config.sections.train import EarlyStoppingConfig
from flextune.records import Example

pytestmark = [pytest.mark.processes, pytest.mark.slow]

KILLS = 20
EXAMPLES = [Example(str(n), f"say {n % 5}: ", "ab" * (n % 5 + 1)) for n in range(23)]
FILES = ("adapter/adapter_model.safetensors", "spectrum.json")


def recipe(name: str) -> Recipe:
    return Recipe(
        adapter=AdapterConfig(rank=2, targets="all", dropout=0.1),
        train=TrainConfig(
            max_steps=15,
            batch_size=4,
            learning_rate=1e-2,
            max_length=64,
            logging_steps=4,
            save_steps=2,
            early_stopping=EarlyStoppingConfig(patience=20),
        ),
        optimizer=optimizer(name),
        penalty=PenaltyConfig(strength=0.1),
    )


def train(model: Path, folder: Path, name: str) -> None:
    import torch

    from flextune.models.load import load_model
    from flextune.training.engine import train_adapter

    torch.set_num_threads(1)
    train_adapter(load_model(str(model), device="cpu"), EXAMPLES, EXAMPLES[:3], recipe(name), folder)


def start(*arguments: Any) -> BaseProcess:
    process = forking().Process(target=train, args=arguments)
    process.start()
    return process


def bytes_of(folder: Path) -> list[Any]:
    """All that a training leaves, but for the clocks."""
    logged = [
        {key: value for key, value in line.items() if key != "estimate_share"} for line in lines(folder)
    ]
    return [*((folder / name).read_bytes() for name in FILES), logged]


@pytest.mark.parametrize("name", ["adamw", "sophia"])
def test_killed_at_any_moment_it_ends_with_the_same_bytes(
    model_folder: Path, tmp_path: Path, name: str
) -> None:
    """Ten kills for each optimizer, at times uniform over the wall clock of a training that is left alone.

    A folder is killed in again and again until a training in it comes to its end.
    """
    seed = int(os.environ.get("FLEXTUNE_KILL_SEED", time.time_ns() % 2**32))
    print(f"kills drawn with FLEXTUNE_KILL_SEED={seed}")
    draw = random.Random(seed)
    whole = tmp_path / "whole"
    # The first one starts the server that the others are forked from.
    start(model_folder, tmp_path / "first", name).join()
    began = time.monotonic()
    start(model_folder, whole, name).join()
    wall = time.monotonic() - began
    kills, ends, folder = 0, 0, tmp_path / "0"
    while kills < KILLS // 2:
        process = start(model_folder, folder, name)
        process.join(draw.uniform(0, wall))
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            kills += 1
            continue
        assert process.exitcode == 0, f"seed {seed}, after {kills} kills"
        assert bytes_of(folder) == bytes_of(whole), f"seed {seed}, after {kills} kills"
        ends += 1
        folder = tmp_path / str(ends)
    last = start(model_folder, folder, name)
    last.join()
    assert last.exitcode == 0, f"seed {seed}"
    assert bytes_of(folder) == bytes_of(whole), f"seed {seed}"
    assert not (folder / "checkpoints").exists()
