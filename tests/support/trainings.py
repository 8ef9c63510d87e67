"""A tiny model with a random adapter in float64, and short trainings of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from tests.support.tiny import tiny_tokenizer
from transformers import PrinterCallback, Trainer, TrainingArguments

from flextune.config import AdapterConfig
from flextune.models.adapters import attach_adapter
from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.spectral.pairs import lora_pairs
from flextune.training.batches.encoded import encode
from flextune.training.batches.padded import Collator

EXAMPLES = [Example(str(n), "ab" * (n % 3 + 1), "xyz" * (n + 1)) for n in range(8)]


def matrices(model: Any) -> list[torch.Tensor]:
    """A, B, A, B, ... of the adapter."""
    return [matrix for pair in lora_pairs(model) for _, matrix in pair.factors()]


def model_with_adapter(loaded: LoadedModel) -> Any:
    """Weights that depend on nothing; a copy, so that the base model that tests share stays in float32."""
    model = attach_adapter(loaded, AdapterConfig(rank=2, targets="all", dropout=0), seed=0)
    generator = torch.Generator().manual_seed(1)
    for parameter in matrices(model):
        parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    return copy.deepcopy(model).double()


def rows(compare: Any = None) -> list[dict[str, torch.Tensor]]:
    return encode(tiny_tokenizer(), EXAMPLES, 64, "completion", compare).rows


def batch() -> dict[str, torch.Tensor]:
    return Collator(1)(rows())


def arguments(folder: Path, **changes: Any) -> TrainingArguments:
    """One step on all rows, unclipped, that logs."""
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
    return TrainingArguments(output_dir=str(folder), **{**options, **changes})


def train(
    trainer_class: type[Trainer],
    loaded: LoadedModel,
    folder: Path,
    *,
    data: list[dict[str, torch.Tensor]] | None = None,
    extra: dict[str, Any] | None = None,
    **changes: Any,
) -> Any:
    """A finished trainer; ``extra`` goes to it, ``changes`` to its arguments."""
    trainer = trainer_class(
        model=model_with_adapter(loaded),
        args=arguments(folder, **changes),
        train_dataset=data or rows(),
        eval_dataset=rows(),
        data_collator=Collator(1),
        **(extra or {}),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer


def logged(folder: Path) -> list[dict[str, Any]]:
    """The lines of ``training.jsonl``."""
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def lines(folder: Path) -> list[dict[str, Any]]:
    """What is logged, apart from what depends on the machine."""
    kept = [line for line in logged(folder) if "peak_memory_bytes" not in line]
    return [
        {key: value for key, value in line.items() if key not in ("seconds", "cpu_seconds")} for line in kept
    ]


class LossScaling:
    """Before a Trainer: float16's loss scaling on the CPU, and a gradient that overflows where told."""

    accelerator: Any
    state: Any

    overflow_at: int | None = None

    def create_accelerator_and_postprocess(self) -> None:
        trainer: Any = super()
        trainer.create_accelerator_and_postprocess()
        self.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        self.accelerator.native_amp = True

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        trainer: Any = super()
        loss = trainer.compute_loss(*args, **kwargs)
        return loss * float("inf") if self.state.global_step == self.overflow_at else loss
