from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tiny import tiny_tokenizer
from transformers import PrinterCallback, TrainingArguments

from flextune.config import AdapterConfig
from flextune.models.adapters import attach_adapter
from flextune.models.base import LoadedModel
from flextune.records import Example
from flextune.spectral.penalty import FourierPenalty
from flextune.training.batches import Collator, encode_all
from flextune.training.trainer import FlexTrainer, lora_parameters

STRENGTH = 0.3
EXAMPLES = [Example(str(n), "ab" * (n % 3 + 1), "xyz" * (n + 1)) for n in range(8)]


class Recorder(FlexTrainer):
    """Keeps the gradients of the first step as clipping meets them, and the norm that it leaves."""

    seen: list[torch.Tensor] | None = None
    clipped_norm = 0.0

    def _clip_grad_norm(self, model: Any) -> Any:
        gradients = [parameter.grad for parameter in lora_parameters(self.model)]
        if self.seen is None:
            self.seen = [gradient.clone() for gradient in gradients]
        norm = super()._clip_grad_norm(model)
        self.clipped_norm = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
        return norm


def model_with_adapter(loaded: LoadedModel, dtype: torch.dtype = torch.float64) -> Any:
    model = attach_adapter(loaded, AdapterConfig(rank=2, targets="all", dropout=0), seed=0)
    generator = torch.Generator().manual_seed(1)
    for parameter in lora_parameters(model):
        parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    # A copy: the base model that the tests share stays in float32.
    return copy.deepcopy(model).to(dtype)


def rows() -> list[dict[str, torch.Tensor]]:
    return encode_all(tiny_tokenizer(), EXAMPLES, 64, "completion")


def run(loaded: LoadedModel, folder: Path, *, strength: float | None = STRENGTH, **changes: Any) -> Recorder:
    options: dict[str, Any] = {
        "per_device_train_batch_size": 8,
        "max_steps": 1,
        "learning_rate": 1e-3,
        "max_grad_norm": 1e9,
        "logging_steps": 1,
        "use_cpu": True,
        "report_to": [],
        "disable_tqdm": True,
        "save_strategy": "no",
        "remove_unused_columns": False,
        "optim": "adamw_torch",
    }
    trainer = Recorder(
        model=model_with_adapter(loaded),
        args=TrainingArguments(output_dir=str(folder), **{**options, **changes}),
        train_dataset=rows(),
        eval_dataset=rows(),
        data_collator=Collator(1),
        penalty=None if strength is None else FourierPenalty(),
        strength=strength or 0.0,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer


def expected_gradients(loaded: LoadedModel, strength: float) -> tuple[float, float, list[torch.Tensor]]:
    """Task loss, strength * L and the gradient of their sum, by autograd on the whole batch."""
    model = model_with_adapter(loaded).train()
    task = model(**Collator(1)(rows())).loss
    matrices = lora_parameters(model)
    term = strength * FourierPenalty().value(matrices)
    return task.item(), term.item(), list(torch.autograd.grad(task + term, matrices))


@pytest.mark.parametrize("accumulation", [1, 4])
def test_gradient_under_accumulation_is_that_of_task_plus_penalty(
    loaded: LoadedModel, tmp_path: Path, accumulation: int
) -> None:
    trainer = run(
        loaded,
        tmp_path,
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


def test_penalty_is_clipped_with_the_task(loaded: LoadedModel, tmp_path: Path) -> None:
    trainer = run(loaded, tmp_path, strength=1e4, max_grad_norm=0.5)
    assert trainer.clipped_norm == pytest.approx(0.5, rel=1e-4)


def test_strength_zero_is_exactly_no_penalty(loaded: LoadedModel, tmp_path: Path) -> None:
    without, zero, some = (
        run(loaded, tmp_path / str(strength), strength=strength, max_steps=3).model
        for strength in (None, 0.0, 0.3)
    )
    pairs = zip(lora_parameters(without), lora_parameters(zero), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(
        not torch.equal(a, b) for a, b in zip(lora_parameters(without), lora_parameters(some), strict=True)
    )


def test_logged_task_loss_is_the_same_with_and_without_penalty(loaded: LoadedModel, tmp_path: Path) -> None:
    options = {"eval_strategy": "steps", "eval_on_start": True, "eval_steps": 1}
    without = run(loaded, tmp_path / "a", strength=None, **options).state.log_history
    with_penalty = run(loaded, tmp_path / "b", strength=50.0, **options).state.log_history
    assert without[0]["eval_loss"] == with_penalty[0]["eval_loss"]
    assert without[1]["loss"] == with_penalty[1]["loss"]
    assert without[1]["penalty"] == 0
    assert with_penalty[1]["penalty"] > 1


def test_validation_loss_is_the_mean_over_tokens_for_any_batch_size(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    losses = [
        run(loaded, tmp_path / str(size), per_device_eval_batch_size=size).evaluate()["eval_loss"]
        for size in (1, 3, 8)
    ]
    trained = run(loaded, tmp_path / "whole").model.eval()
    with torch.no_grad():
        expected = trained(**Collator(1)(rows())).loss.item()
    assert losses == pytest.approx([expected] * 3, rel=1e-6)


def test_float16_loss_scale_is_taken_into_account(loaded: LoadedModel, tmp_path: Path) -> None:
    trainer = run(loaded, tmp_path, strength=None)
    trainer.penalty, trainer.strength = FourierPenalty(), STRENGTH
    matrices = lora_parameters(trainer.model)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    trainer.accelerator.scaler = scaler
    scaler.scale(torch.zeros(()))
    trainer._matrices = matrices
    for parameter in matrices:
        parameter.grad = None
    trainer._add_penalty(trainer.penalty)
    _, gradients = trainer.penalty.value_and_gradients(matrices)
    for parameter, gradient in zip(matrices, gradients, strict=True):
        torch.testing.assert_close(parameter.grad, 1024 * STRENGTH * gradient, rtol=1e-12, atol=0)


def test_penalty_without_a_lora_matrix_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to=[])
    with pytest.raises(ValueError, match="no trainable one"):
        FlexTrainer(model=loaded.model, args=arguments, penalty=FourierPenalty(), strength=1.0)
