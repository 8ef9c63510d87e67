"""The pass before the clock starts: it takes the device's first-use costs, and changes no number."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.support.trainings import arguments, matrices, model_with_adapter, rows

from flextune.models.load import LoadedModel
from flextune.spectral.form import PenaltyForm
from flextune.spectral.penalty import Penalty
from flextune.training import SpectralCallback
from flextune.training.batches.padded import Collator
from flextune.training.trainer import FlexTrainer

pytestmark = pytest.mark.slow

STEPS: dict[str, Any] = {
    "max_steps": 3,
    "learning_rate": 1e-2,
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 2,
}
MEASURED = ("seconds", "cpu_seconds", "estimate_share", "runtime", "per_second", "peak_memory_bytes")


class Cold(FlexTrainer):
    def _warm_up(self, batches: Any, items: Any) -> None:
        pass


def penalty(way: Any, kind: Any = "fourier") -> dict[str, Any]:
    return {"callbacks": [SpectralCallback(PenaltyForm(kind=kind), strength=0.3, apply=way)]}


#: Name: what the trainer takes, given the base model.
CASES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "plain": lambda base: {},
    "gradient": lambda base: penalty("gradient"),
    "proximal": lambda base: penalty("proximal", "update"),
    "loss": lambda base: {"strength": 0.3},
    "kl": lambda base: {"kl": 0.5, "base": base},
    "sophia": lambda base: {"sophia": {"gamma": 0.5}},
    "hutchinson": lambda base: {"sophia": {"gamma": 0.5}, "estimator": "hutchinson"},
}


def made(
    kind: type[FlexTrainer], loaded: LoadedModel, folder: Path, case: str = "plain", **changes: Any
) -> FlexTrainer:
    """A training with dropout, whose draws a pass more would shift."""
    model = model_with_adapter(loaded)
    for module in model.modules():
        if hasattr(module, "lora_dropout"):
            module.lora_dropout["default"] = torch.nn.Dropout(0.2)
    return kind(
        model=model,
        args=arguments(folder, **{**STEPS, **changes}),
        train_dataset=rows("all"),
        eval_dataset=rows(),
        data_collator=Collator(1),
        **CASES[case](loaded.model),
    )


def numbers(trainer: FlexTrainer) -> list[dict[str, float]]:
    """What is logged, but for what a clock measured."""
    kept = []
    for line in trainer.state.log_history:
        kept.append({key: value for key, value in line.items() if not key.endswith(MEASURED)})
    return kept


@pytest.mark.parametrize(
    ("case", "evaluated"), [*((case, False) for case in CASES), ("plain", True), ("sophia", True)]
)
def test_every_number_and_draw_is_that_of_a_training_without_it(
    loaded: LoadedModel, tmp_path: Path, case: str, evaluated: bool
) -> None:
    options = {"eval_strategy": "steps", "eval_steps": 2, "eval_on_start": True} if evaluated else {}
    ends = []
    for kind in (Cold, FlexTrainer):
        trainer = made(kind, loaded, tmp_path, case, **options)
        trainer.train()
        draws = (torch.rand(4).tolist(), np.random.rand(4).tolist(), random.random())
        ends.append(([x.tolist() for x in matrices(trainer.model)], numbers(trainer), draws))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("case", ["loss", "gradient", "proximal"])
def test_a_penalty_works_once_before_its_first_step_and_as_it_does_in_one(
    loaded: LoadedModel, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = {"loss": "value", "gradient": "add_gradients_", "proximal": "proximal_"}[case]
    original, called = getattr(Penalty, method), []

    def counting(*args: Any) -> Any:
        called.append(method)
        return original(*args)

    monkeypatch.setattr(Penalty, method, counting)
    made(FlexTrainer, loaded, tmp_path, case).train()
    assert len(called) == 1 + 3


def test_the_clock_starts_after_the_first_pass(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device whose first pass takes 1,000 seconds more than the others."""
    extra, passes = 0.0, 0
    clock = time.perf_counter
    monkeypatch.setattr(time, "perf_counter", lambda: clock() + extra)
    trainer = made(FlexTrainer, loaded, tmp_path)

    def slow_at_first(*_: Any) -> None:
        nonlocal extra, passes
        extra, passes = 1000.0, passes + 1

    trainer.model.register_forward_hook(slow_at_first)
    trainer.train()
    assert passes == 1 + 3 * 2
    assert all(line["seconds"] < 1000 for line in trainer.state.log_history)
    assert trainer.state.log_history[0]["seconds"] > 0


def test_a_second_training_of_one_trainer_needs_no_other_pass(loaded: LoadedModel, tmp_path: Path) -> None:
    calls = []

    class Counting(FlexTrainer):
        def _warm_up(self, batches: Any, items: Any) -> None:
            calls.append(len(batches))
            super()._warm_up(batches, items)

    trainer = made(Counting, loaded, tmp_path)
    trainer.train()
    trainer.train()
    assert calls == [1]


def test_a_resumed_training_ends_with_the_same_bits(loaded: LoadedModel, tmp_path: Path) -> None:
    saving = {"save_strategy": "steps", "save_steps": 2, "max_steps": 4}
    whole = made(FlexTrainer, loaded, tmp_path / "whole", "sophia", **saving)
    whole.train()
    resumed = made(FlexTrainer, loaded, tmp_path / "whole", "sophia", **saving)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-2"))
    for one, other in zip(matrices(whole.model), matrices(resumed.model), strict=True):
        assert torch.equal(one, other)
