"""Two processes over gloo (DDP, and FSDP2 whose parameters are DTensors) train to the weights of one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.processes import Together, needs_gloo, run_in_two_processes
from tests.support.sharded import Sharded
from tests.support.trainings import matrices, rows, train
from transformers import Trainer

from flextune.models.load import load_model
from flextune.training import SpectralCallback, SpectralLossMixin
from flextune.training.callbacks.keeping import KeepBestCallback
from flextune.training.trainer import FlexTrainer

STRENGTH = 0.3
STEPS = {"optim": "sgd", "learning_rate": 0.1, "max_grad_norm": 0.3, "max_steps": 3}


class LossTrainer(SpectralLossMixin, Trainer):
    pass


class ShardedLoss(SpectralLossMixin, Sharded):
    pass


def callback(way: Any) -> dict[str, Any]:
    return {"callbacks": [SpectralCallback(strength=STRENGTH, apply=way)]}


def with_term(loaded: Any) -> dict[str, Any]:
    base = loaded.model.double()
    stopping = KeepBestCallback(patience=1)
    return {"base": base, "kl": 0.5, "penalty": "default", "strength": STRENGTH, "callbacks": [stopping]}


#: Name: trainer, what it takes beside the model and its data, arguments.
CASES: dict[str, tuple[type[Trainer], Callable[[Any], dict[str, Any]], dict[str, Any]]] = {
    "ddp-gradient": (Trainer, lambda _: callback("gradient"), {}),
    "ddp-proximal": (Trainer, lambda _: callback("proximal"), {}),
    "ddp-loss": (LossTrainer, lambda _: {"penalty": "default", "strength": STRENGTH}, {}),
    "ddp-own": (FlexTrainer, with_term, {"eval_strategy": "steps", "eval_steps": 1}),
    "fsdp-gradient": (Sharded, lambda _: callback("gradient"), {}),
    "fsdp-proximal": (Sharded, lambda _: callback("proximal"), {}),
    "fsdp-loss": (ShardedLoss, lambda _: {"penalty": "default", "strength": STRENGTH}, {}),
}


def weights(case: str, model: Path, folder: Path, processes: int) -> list[torch.Tensor]:
    """The adapter after three steps on all eight rows, in two micro-batches of each process."""
    trainer_class, extra, options = CASES[case]
    loaded = load_model(str(model), device="cpu")
    trainer = train(
        trainer_class,
        loaded,
        folder,
        data=rows("all"),
        extra=extra(loaded),
        per_device_train_batch_size=4 // processes,
        gradient_accumulation_steps=2,
        **STEPS,
        **options,
    )
    sharded = all(hasattr(matrix, "full_tensor") for matrix in matrices(trainer.model))
    assert sharded == (processes > 1 and issubclass(trainer_class, Sharded))
    found = [x.full_tensor() if hasattr(x, "full_tensor") else x for x in matrices(trainer.model)]
    return [tensor.detach() for tensor in found]


def with_another(case: str, model: Path, folder: Path, rank: int) -> list[torch.Tensor]:
    return weights(case, model, folder / case, 2)


@pytest.fixture(scope="module")
def together(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Together:
    trainings = tmp_path_factory.mktemp("trainings")
    jobs = {case: partial(with_another, case, model_folder, trainings) for case in CASES}
    return run_in_two_processes(jobs, tmp_path_factory.mktemp("processes"))


@needs_gloo
@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_to_the_weights_of_one(
    case: str, model_folder: Path, together: Together, tmp_path: Path
) -> None:
    alone = weights(case, model_folder, tmp_path, 1)
    for found in together.returned(case):
        torch.testing.assert_close(found, alone, rtol=1e-6, atol=1e-9)
