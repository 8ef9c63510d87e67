"""The trainings that are compared: a plain PEFT script, TRL's SFTTrainer, and ours, on the same rows."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from flextune.training.usage import PeakMemory

RANK, ALPHA, DROPOUT = 8, 16, 0.05
TARGETS = ["gate_proj", "up_proj", "down_proj"]

Rows = list[dict[str, Tensor]]


@dataclass(frozen=True)
class Setting:
    """What all sides have in common.

    Attributes:
        model: Makes the base model.
        rows: ``{"input_ids", "labels"}``, trained on once.
        batch_size: Texts per step.
        longest: Tokens that the plain script pads to.
        pad: Id that fills.
        device: Where.
        half: Whether the matrix products are in bfloat16.
    """

    model: Callable[[], Any]
    rows: Rows
    batch_size: int
    longest: int
    pad: int
    device: torch.device
    half: bool = False

    @property
    def steps(self) -> int:
        """Of one pass over the rows."""
        return -(-len(self.rows) // self.batch_size)


@dataclass(frozen=True)
class Outcome:
    """What one side came to.

    Attributes:
        seconds: From the first step's begin to the last one's end.
        losses: Of the steps.
        memory: Peak in bytes, None where the system does not tell.
        learned: Mean loss per token over the rows afterwards, each text by itself.
    """

    seconds: float
    losses: Sequence[float]
    memory: int | None
    learned: float


class Watch(TrainerCallback):
    """The steps' time and losses."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.began = self.ended = 0.0
        self.losses: list[float] = []

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 0:
            self.began = self._now()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == state.max_steps:
            self.ended = self._now()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self.losses.append(logs["loss"])


def run(side: Callable[[Setting, TrainingArguments, list[Any]], Any], setting: Setting) -> Outcome:
    """Train once over the rows and measure it."""
    torch.manual_seed(0)
    watch = Watch(setting.device)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        trainer = side(setting, _arguments(setting, folder), [watch])
        trainer.remove_callback(PrinterCallback)
        memory = PeakMemory(setting.device)
        trainer.train()
        peak = memory.bytes
    seconds = watch.ended - watch.began
    return Outcome(seconds, watch.losses, peak, _loss_over(trainer.model, setting))


def _loss_over(model: Any, setting: Setting) -> float:
    """Sides have orders of their own: what they learned is compared on the same texts."""
    model.eval()
    total = tokens = 0.0
    with torch.no_grad():
        for row in setting.rows:
            ids, labels = (row[key][None].to(setting.device) for key in ("input_ids", "labels"))
            count = int(labels[:, 1:].ne(-100).sum())
            total += model(input_ids=ids, labels=labels).loss.item() * count
            tokens += count
    return total / tokens


def _arguments(setting: Setting, folder: str, kind: type[Any] = TrainingArguments, **more: Any) -> Any:
    on_cpu = setting.device.type == "cpu"
    return kind(
        output_dir=folder,
        per_device_train_batch_size=setting.batch_size,
        max_steps=setting.steps,
        learning_rate=2e-3,
        lr_scheduler_type="cosine",
        max_grad_norm=1.0,
        optim="adamw_torch",
        logging_steps=1,
        seed=0,
        use_cpu=on_cpu,
        bf16=setting.half,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=not on_cpu,
        **more,
    )


def lora() -> Any:
    """The adapter's configuration."""
    from peft import LoraConfig

    return LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules=TARGETS, task_type="CAUSAL_LM"
    )


def _adapted(setting: Setting) -> Any:
    from peft import get_peft_model

    return get_peft_model(setting.model(), lora())


def plain(setting: Setting, arguments: Any, callbacks: list[Any], *, longest: bool) -> Trainer:
    """PEFT and Trainer as their documents show them: pad, mask, train."""

    def collate(rows: Rows) -> dict[str, Tensor]:
        to = max(len(row["input_ids"]) for row in rows) if longest else setting.longest
        ids = torch.full((len(rows), to), setting.pad)
        labels, mask = torch.full((len(rows), to), -100), torch.zeros(len(rows), to, dtype=torch.long)
        for index, row in enumerate(rows):
            length = len(row["input_ids"])
            ids[index, :length], labels[index, :length] = row["input_ids"], row["labels"]
            mask[index, :length] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    return Trainer(
        model=_adapted(setting),
        args=arguments,
        train_dataset=setting.rows,
        data_collator=collate,
        callbacks=callbacks,
    )


def ours(
    setting: Setting,
    arguments: Any,
    callbacks: list[Any],
    *,
    batches: str,
    trainer_options: Mapping[str, Any] | None = None,
    more_callbacks: Callable[[], list[Any]] = list,
) -> Trainer:
    """FlexTrainer with batches of a kind."""
    from flextune.training.batches.choice import choose_batches
    from flextune.training.trainer import FlexTrainer

    model = _adapted(setting).to(setting.device)
    # The section ``train`` of an experiment needs pydantic, which the GPU's machine lacks.
    train: Any = SimpleNamespace(
        batches=batches, batch_size=setting.batch_size, max_length=setting.longest, torch_compile=False
    )
    computed = torch.bfloat16 if setting.half else model.dtype
    made = choose_batches(model, train, pad=setting.pad, computed=computed)
    # Packed batches are fewer: once over the rows is what all sides do.
    lengths = [len(row["input_ids"]) for row in setting.rows]
    arguments.max_steps = sum(1 for _ in made.sampler(lengths, arguments.seed))
    return FlexTrainer(
        model=model,
        args=arguments,
        train_dataset=setting.rows,
        batches=made,
        callbacks=[*callbacks, *more_callbacks()],
        **(trainer_options or {}),
    )


def sft(setting: Setting, arguments: Any, callbacks: list[Any]) -> Any:
    """TRL's SFTTrainer at its best on the device: texts grouped by length, on CUDA without padding."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    flash = setting.device.type == "cuda" and _has_flash()
    best = {"padding_free": True} if flash else {"train_sampling_strategy": "group_by_length"}
    config = _arguments(
        setting, arguments.output_dir, SFTConfig, max_length=setting.longest, packing=False, **best
    )
    keep = {key: [row[key].tolist() for row in setting.rows] for key in ("input_ids", "labels")}
    return SFTTrainer(
        model=setting.model(),
        args=config,
        train_dataset=Dataset.from_dict(keep),
        peft_config=lora(),
        processing_class=_tokenizer(setting),
        callbacks=callbacks,
    )


def _has_flash() -> bool:
    import importlib.util

    return importlib.util.find_spec("flash_attn") is not None


def _tokenizer(setting: Setting) -> Any:
    from flextune.models.load import load_tokenizer

    tokenizer = load_tokenizer("rosetta")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def sides() -> dict[str, Callable[..., Any]]:
    """Every side by its name."""
    return {
        "plain, padded to 512": partial(plain, longest=False),
        "plain, padded to the longest": partial(plain, longest=True),
        "TRL SFTTrainer": sft,
        "flextune, padded": partial(ours, batches="padded"),
        "flextune, padding_free": partial(ours, batches="padding_free"),
        "flextune, packed": partial(ours, batches="packed"),
    }


def padded_share(setting: Setting, *, longest: bool, seed: int = 0) -> float:
    """What share of a plain script's tokens is useful, over random batches."""
    lengths = torch.tensor([len(row["input_ids"]) for row in setting.rows])
    order = torch.randperm(len(lengths), generator=torch.Generator().manual_seed(seed))
    chunks = list(_chunks(lengths[order], setting.batch_size))
    spent = sum(len(part) * (int(part.max()) if longest else setting.longest) for part in chunks)
    return float(lengths.sum()) / spent


def _chunks(values: Tensor, size: int) -> Iterator[Tensor]:
    yield from values.split(size)
