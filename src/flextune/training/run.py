"""Train one adapter from examples to a finished PEFT folder."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.records import Example, FlextuneError

if TYPE_CHECKING:
    from transformers import TrainingArguments

    from flextune.config import AdapterConfig, PenaltyConfig, TrainConfig
    from flextune.models.base import LoadedModel


def train_adapter(
    loaded: LoadedModel,
    examples: Sequence[Example],
    validation: Sequence[Example],
    *,
    adapter: AdapterConfig,
    train: TrainConfig,
    penalty: PenaltyConfig | None,
    seed: int,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Fine-tune a LoRA adapter and write it.

    In ``folder``: ``training.jsonl`` while it runs (started anew), then ``spectrum.json``, then
    ``adapter/`` in PEFT's format, which appears at once and only when the training is complete. On the
    CPU the adapter's weights depend on the arguments and the number of threads alone. The base model and the
    global random generators are left as they were.

    Args:
        loaded: The base model.
        examples: What it learns from.
        validation: Texts for the validation loss: before training, at about every tenth of the steps, and
            at the end. May be empty.
        adapter: Rank, alpha, dropout, targets, layers.
        train: The recipe; ``data`` and its companions have been read into ``examples`` already.
        penalty: On every LoRA matrix, or None.
        seed: Of the adapter's start, the order of the examples and dropout.
        folder: Made if it is not there.
        progress: Called with (steps done, steps in all).

    Raises:
        FlextuneError: No example to learn from, a target or option that the model or device does not
            allow, a loss that is not finite, or a folder that cannot be written.
    """
    from safetensors import SafetensorError

    _check(loaded, train)
    try:
        with _preserved_randomness():
            _forget(folder)
            model = _fit(loaded, examples, validation, adapter, train, penalty, seed, folder, progress)
            _write(model, folder)
    except (OSError, SafetensorError) as error:
        raise FlextuneError(f"{folder}: cannot be written ({error})") from error


def _fit(
    loaded: LoadedModel,
    examples: Sequence[Example],
    validation: Sequence[Example],
    adapter: AdapterConfig,
    train: TrainConfig,
    penalty: PenaltyConfig | None,
    seed: int,
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> Any:
    """The trained PEFT model."""
    from transformers import PrinterCallback

    from flextune.models.adapters import attach_adapter
    from flextune.training.batches import Collator, encode_all
    from flextune.training.logbook import Logbook
    from flextune.training.trainer import FlexTrainer

    rows = encode_all(loaded.tokenizer, examples, train.max_length, train.loss)
    if not rows:
        raise FlextuneError(f"nothing to learn from: {len(examples)} examples, none with a token that counts")
    held_out = encode_all(loaded.tokenizer, validation, train.max_length, train.loss)
    held_out.sort(key=lambda row: len(row["input_ids"]))
    model = attach_adapter(loaded, adapter, seed)
    trainer = FlexTrainer(
        model=model,
        args=_arguments(loaded, train, seed, folder, evaluate=bool(held_out)),
        train_dataset=rows,
        eval_dataset=held_out or None,
        data_collator=Collator(loaded.tokenizer.pad_token_id),
        callbacks=[Logbook(folder / "training.jsonl", progress)],
        penalty=_penalty(penalty),
        strength=penalty.strength if penalty is not None else 0.0,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return model


def _arguments(
    loaded: LoadedModel, train: TrainConfig, seed: int, folder: Path, *, evaluate: bool
) -> TrainingArguments:
    import torch
    from transformers import TrainingArguments

    on_cpu = loaded.model.device.type == "cpu"
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=train.batch_size,
        per_device_eval_batch_size=max(train.batch_size, 8),
        gradient_accumulation_steps=train.accumulation,
        num_train_epochs=train.epochs,
        max_steps=train.max_steps or -1,
        optim="adamw_torch",
        learning_rate=train.learning_rate,
        lr_scheduler_type="constant_with_warmup" if train.schedule == "constant" else train.schedule,
        warmup_steps=train.warmup,
        weight_decay=train.weight_decay,
        max_grad_norm=train.clip,
        seed=seed,
        use_cpu=on_cpu,
        bf16=loaded.model.dtype == torch.bfloat16 or train.autocast == "bfloat16",
        fp16=loaded.model.dtype == torch.float16,
        logging_steps=train.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=0.1,
        eval_on_start=evaluate,
        prediction_loss_only=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=not on_cpu,
    )
    # Without torchrun, one device: the Trainer would spread each batch over all with DataParallel.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _penalty(penalty: PenaltyConfig | None) -> Any:
    from flextune.spectral.penalty import FourierPenalty

    if penalty is None:
        return None
    return FourierPenalty(penalty.cutoff, penalty.low, penalty.high, penalty.norm, penalty.length)


def _check(loaded: LoadedModel, train: TrainConfig) -> None:
    """Refuse what would fail late or in silence."""
    device, dtype = loaded.model.device, loaded.model.dtype
    if device.type == "cpu" and str(dtype) == "torch.float16":
        raise FlextuneError(
            "training in float16 needs a CUDA device; use dtype float32 or bfloat16 on the CPU"
        )
    if device.type == "cuda" and device.index:
        raise FlextuneError(
            f"training runs on the first visible CUDA device, not {device}: set CUDA_VISIBLE_DEVICES="
            f"{device.index} and use device cuda"
        )
    context = getattr(loaded.model.config, "max_position_embeddings", None)
    if context is not None and train.max_length > context:
        raise FlextuneError(
            f"train.max_length {train.max_length} exceeds the model's context of {context} tokens"
        )


def _forget(folder: Path) -> None:
    """Make the folder, without what an earlier training left: an adapter there means "finished"."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("adapter", "adapter.partial"):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    (folder / "spectrum.json").unlink(missing_ok=True)


def _write(model: Any, folder: Path) -> None:
    """Write the spectrum, then the adapter, which appears whole."""
    from peft import get_peft_model_state_dict

    from flextune.spectral.spectrum import adapter_spectrum

    rows = adapter_spectrum(get_peft_model_state_dict(model, save_embedding_layers=False))
    (folder / "spectrum.json").write_text(json.dumps({"matrices": rows}) + "\n")
    partial = folder / "adapter.partial"
    model.save_pretrained(str(partial), save_embedding_layers=False)
    # PEFT's model card is an empty form, and its config lists a set in an order that changes by process.
    (partial / "README.md").unlink(missing_ok=True)
    config = json.loads((partial / "adapter_config.json").read_text())
    config["target_modules"] = sorted(config["target_modules"])
    (partial / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for path in partial.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    partial.replace(folder / "adapter")


@contextlib.contextmanager
def _preserved_randomness() -> Iterator[None]:
    """Give the caller's global generators back as they were; the Trainer seeds all of them."""
    import numpy as np
    import torch

    python, legacy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
