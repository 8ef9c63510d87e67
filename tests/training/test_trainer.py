from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.trainings import arguments, batch, matrices, model_with_adapter, rows, train

from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.spectral.penalty import Penalty
from flextune.training.callbacks.penalty import SpectralCallback
from flextune.training.trainer import FlexTrainer

pytestmark = pytest.mark.slow

STRENGTH = 0.3
WAYS = ["gradient", "loss"]


class Recorder(FlexTrainer):
    """Keeps the gradients of the first step as clipping meets them, and the norm that it leaves."""

    seen: list[torch.Tensor] | None = None
    clipped_norm = 0.0

    def _clip_grad_norm(self, model: Any) -> Any:
        gradients = [parameter.grad for parameter in matrices(self.model) if parameter.grad is not None]
        if self.seen is None:
            self.seen = [gradient.clone() for gradient in gradients]
        norm = super()._clip_grad_norm(model)
        self.clipped_norm = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
        return norm


def run(
    loaded: LoadedModel,
    folder: Path,
    *,
    way: str = "gradient",
    strength: float | None = STRENGTH,
    data: Any = None,
    **changes: Any,
) -> Recorder:
    extra: dict[str, Any] = {}
    if strength is not None and way == "loss":
        extra = {"penalty": "default", "strength": strength}
    elif strength is not None:
        extra = {"callbacks": [SpectralCallback(strength=strength, apply=way)]}  # type: ignore[arg-type]
    trainer: Recorder = train(Recorder, loaded, folder, data=data, extra=extra, **changes)
    return trainer


def expected_gradients(loaded: LoadedModel, strength: float) -> tuple[float, float, list[torch.Tensor]]:
    """Task loss, strength * L and the gradient of their sum, by autograd on the whole batch."""
    model = model_with_adapter(loaded).train()
    task = model(**batch()).loss
    term = strength * Penalty().value(matrices(model))
    return task.item(), term.item(), list(torch.autograd.grad(task + term, matrices(model)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("accumulation", [1, 4])
def test_gradient_under_accumulation_is_that_of_task_plus_penalty(
    loaded: LoadedModel, tmp_path: Path, accumulation: int, way: str
) -> None:
    trainer = run(
        loaded,
        tmp_path,
        way=way,
        per_device_train_batch_size=8 // accumulation,
        gradient_accumulation_steps=accumulation,
    )
    task, term, expected = expected_gradients(loaded, STRENGTH)
    assert trainer.seen is not None
    for gradient, wanted in zip(trainer.seen, expected, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-6, atol=1e-9)
    line = trainer.state.log_history[0]
    assert line["loss"] == pytest.approx(task, rel=1e-6)
    assert line["penalty"] == pytest.approx(term, rel=1e-6)
    norm = torch.cat([gradient.flatten() for gradient in expected]).norm()
    assert line["grad_norm"] == pytest.approx(norm.item(), rel=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_penalty_enters_once_where_the_last_step_has_fewer_micro_batches(
    loaded: LoadedModel, tmp_path: Path, way: str
) -> None:
    options: dict[str, Any] = {
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": 2,
        "optim": "sgd",
    }
    options |= {"max_steps": 2, "learning_rate": 0.0, "lr_scheduler_type": "constant"}
    # 8 rows are three micro-batches, and steps of two and of one; at rate 0 both have the same penalty.
    found = run(loaded, tmp_path, way=way, **options).state.log_history
    _, term, _ = expected_gradients(loaded, STRENGTH)
    assert [line["penalty"] for line in found[:2]] == pytest.approx([term, term], rel=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_penalty_is_clipped_with_the_task(loaded: LoadedModel, tmp_path: Path, way: str) -> None:
    trainer = run(loaded, tmp_path, way=way, strength=1e4, max_grad_norm=0.5)
    assert trainer.clipped_norm == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("way", [*WAYS, "proximal"])
def test_strength_zero_is_exactly_no_penalty(loaded: LoadedModel, tmp_path: Path, way: str) -> None:
    without, zero, some = (
        matrices(run(loaded, tmp_path / str(strength), way=way, strength=strength, max_steps=3).model)
        for strength in (None, 0.0, 0.3)
    )
    assert all(torch.equal(a, b) for a, b in zip(without, zero, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(without, some, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_logged_task_losses_are_the_same_with_and_without_penalty(
    loaded: LoadedModel, tmp_path: Path, way: str
) -> None:
    options: dict[str, Any] = {"eval_strategy": "steps", "eval_on_start": True, "eval_steps": 1}
    without = run(loaded, tmp_path / "a", strength=None, **options).state.log_history
    with_penalty = run(loaded, tmp_path / "b", way=way, strength=50.0, **options).state.log_history
    assert without[0]["eval_loss"] == with_penalty[0]["eval_loss"]
    assert without[1]["loss"] == pytest.approx(with_penalty[1]["loss"], rel=1e-6)
    assert "penalty" not in without[1]
    assert with_penalty[1]["penalty"] > 1


def test_logged_penalty_is_the_mean_over_the_steps_since_the_last_line(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"max_steps": 4, "learning_rate": 0.1}
    each = [line["penalty"] for line in run(loaded, tmp_path / "a", **options).state.log_history[:4]]
    pairs = run(loaded, tmp_path / "b", **options, logging_steps=2).state.log_history[:2]
    assert len(set(each)) == 4
    assert [line["penalty"] for line in pairs] == pytest.approx(
        [sum(each[:2]) / 2, sum(each[2:]) / 2], rel=1e-6
    )


def test_validation_loss_is_the_mean_over_tokens_for_any_batch_size(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    losses = [
        run(loaded, tmp_path / str(size), per_device_eval_batch_size=size).evaluate()["eval_loss"]
        for size in (1, 3, 8)
    ]
    trained = run(loaded, tmp_path / "whole").model.eval()
    with torch.no_grad():
        expected = trained(**batch()).loss.item()
    assert losses == pytest.approx([expected] * 3, rel=1e-6)


def test_penalty_without_a_lora_matrix_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    for extra in ({"penalty": "default", "strength": 1.0}, {"callbacks": [SpectralCallback(strength=1.0)]}):
        model = copy.deepcopy(loaded.model).requires_grad_()
        trainer = FlexTrainer(model=model, args=arguments(tmp_path), train_dataset=rows(), **extra)
        with pytest.raises(FlextuneError, match="penalty: no LoRA matrix found"):
            trainer.train()
