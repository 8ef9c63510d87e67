"""Sophia's host in two processes over gloo: DDP, and FSDP2 whose parameters are DTensors.

Processes draw apart from one another, which one process cannot repeat: against it, labels are the most likely
ones and probes are ones. Real draws are compared with what each process must have drawn.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from tests.support.processes import Together, needs_gloo, run_in_two_processes
from tests.support.sharded import Sharded
from tests.support.sophia import InOrder, SophiaTrainer, micro_batches
from tests.support.trainings import matrices, model_with_adapter, train
from torch import Tensor
from transformers import Trainer

from flextune.models.load import LoadedModel, load_model
from flextune.optim import GaussNewtonBartlett, Hutchinson
from flextune.training import SophiaMixin
from flextune.training.callbacks.sophia import _seed

OPTIONS: dict[str, Any] = {"gamma": 0.5, "every": 2}
STEPS: dict[str, Any] = {"learning_rate": 1e-2, "max_steps": 4, "max_grad_norm": 0.3, "weight_decay": 0.1}


class ShardedSophia(Sharded, SophiaMixin, InOrder):
    pass


#: Name: trainer, estimator, rows in one process's micro-batch where it is alone. In FSDP2 those that two
#: processes have at the same time are one micro-batch.
CASES: dict[str, tuple[type[Trainer], str, int]] = {
    "ddp-gnb": (SophiaTrainer, "gnb", 2),
    "ddp-hutchinson": (SophiaTrainer, "hutchinson", 2),
    "fsdp-gnb": (ShardedSophia, "gnb", 4),
}


def fix_draws(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch, "multinomial", lambda p, number, generator: p.argmax(-1, keepdim=True))
    patch.setattr(Hutchinson, "_draw", lambda self, parameter: torch.ones_like(parameter))


def trained(case: str, model: Path, folder: Path, processes: int, **changes: Any) -> Any:
    """Four steps on all eight rows, in micro-batches of two where there are two processes."""
    trainer_class, kind, alone = CASES[case]
    size = alone if processes == 1 else 2
    return train(
        trainer_class,
        load_model(str(model), device="cpu"),
        folder,
        extra={"sophia": OPTIONS, "estimator": kind},
        per_device_train_batch_size=size,
        gradient_accumulation_steps=8 // (size * processes),
        **{**STEPS, **changes},
    )


def results(trainer: Any) -> list[Tensor]:
    """Weights, curvature and what was logged of it; whole, whatever this process holds."""
    optimizer = trainer.optimizer.optimizer
    weights = matrices(trainer.model)
    sharded = all(hasattr(weight, "full_tensor") for weight in weights)
    assert sharded == (dist.is_initialized() and isinstance(trainer, Sharded))
    tensors = [*weights, *(optimizer.state[weight]["hessian"] for weight in weights)]
    whole = [each.full_tensor() if hasattr(each, "full_tensor") else each for each in tensors]
    lines = trainer.state.log_history[:-1]
    for key in ("win_rate_a", "win_rate_b", "hessian_norm"):
        whole.append(torch.tensor([line[key] for line in lines], dtype=torch.float64))
    return [tensor.detach() for tensor in whole]


def with_another(case: str, model: Path, folder: Path, rank: int) -> list[Tensor]:
    with pytest.MonkeyPatch.context() as patch:
        fix_draws(patch)
        return results(trained(case, model, folder / case, 2))


def drawn(model: Path, folder: Path, rank: int) -> list[Tensor]:
    return results(trained("ddp-gnb", model, folder / "drawn", 2, max_steps=1))


@pytest.fixture(scope="module")
def together(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Together:
    trainings = tmp_path_factory.mktemp("trainings")
    jobs = {case: partial(with_another, case, model_folder, trainings) for case in CASES}
    jobs["drawn"] = partial(drawn, model_folder, trainings)
    return run_in_two_processes(jobs, tmp_path_factory.mktemp("processes"))


@needs_gloo
@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_to_the_weights_of_one(
    case: str, model_folder: Path, together: Together, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fix_draws(monkeypatch)
    alone = results(trained(case, model_folder, tmp_path, 1))
    for found in together.returned(case):
        torch.testing.assert_close(found, alone, rtol=1e-5, atol=1e-9)


@needs_gloo
def test_estimate_is_the_sum_of_what_each_process_draws_for_itself(
    loaded: LoadedModel, together: Together
) -> None:
    model = model_with_adapter(loaded).train()
    weights = matrices(model)
    batches = micro_batches(4)
    total, tokens = [torch.zeros_like(weight) for weight in weights], 0
    for rank in range(2):
        estimator = GaussNewtonBartlett(weights, seed=_seed(42, 0, rank))
        # Batches are dealt out in turn.
        mine = batches[rank::2]
        for batch in mine:
            estimator.accumulate(model, batch)
        counted = sum(int(batch["labels"][:, 1:].ne(-100).sum()) for batch in mine)
        total = [sum_ + counted * part for sum_, part in zip(total, estimator.finish() or [], strict=True)]
        tokens += counted
    for found in together.returned("drawn"):
        for number, expected in enumerate(total):
            hessian = found[len(weights) + number]
            torch.testing.assert_close(hessian / 0.01, expected.to(hessian) / tokens, rtol=1e-5, atol=1e-12)
