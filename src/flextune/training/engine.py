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

from flextune.errors import FlextuneError
from flextune.files.objects import write_object
from flextune.records import Example
from flextune.runs import layout

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import TrainerCallback

    from flextune.config import Recipe, TrainConfig
    from flextune.models.load import LoadedModel

_PARTIAL = "adapter.partial"


def train_adapter(
    model: LoadedModel,
    examples: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    folder: Path,
    *,
    callbacks: Sequence[TrainerCallback] = (),
    start: Path | None = None,
    resume: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Fine-tune a LoRA adapter and write it.

    In ``folder``: ``training.jsonl`` while it runs (started again), then ``spectrum.json``, then
    ``adapter/`` in PEFT's format, which appears at once and only when the training is complete. On the
    CPU the adapter's weights depend on the arguments and the number of threads alone. The base model and the
    global random generators are left as they were.

    Args:
        model: The base model.
        examples: What it learns from.
        validation: Texts for the validation loss: before training, at about every tenth of the steps, and
            at the end. May be empty, but not with early stopping.
        recipe: Everything else that determines the adapter.
        folder: Made if it is not there.
        callbacks: Take part in the training beside those of the recipe, and after them.
        start: A LoRA adapter of the same shape and scale, whose matrices are trained on; None: fresh ones.
        resume: A ``checkpoint-N`` folder of the same training (``control.should_save`` in a callback writes
            one into ``folder``); the training continues after its step N.
        progress: Called with (steps done, steps in all).

    Raises:
        FlextuneError: No example to learn from, a target or option that the model, the device or the examples
            do not allow, a loss that is not finite, or a folder that cannot be read or written.
    """
    from safetensors import SafetensorError

    from flextune.training.arguments import check_recipe

    check_recipe(model, recipe.train)
    if resume is not None and not (resume / "trainer_state.json").is_file():
        raise FlextuneError(f"{resume}: no trainer_state.json; it is not a checkpoint of a training")
    try:
        with _preserved_randomness():
            _forget(folder)
            adapted = _fit(model, examples, validation, recipe, folder, callbacks, start, resume, progress)
            _write(adapted, folder)
    except (OSError, SafetensorError) as error:
        raise FlextuneError(f"{folder}: cannot be written ({error})") from error


def _fit(
    model: LoadedModel,
    examples: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    folder: Path,
    callbacks: Sequence[TrainerCallback],
    start: Path | None,
    resume: Path | None,
    progress: Callable[[int, int], None] | None,
) -> Any:
    """The trained PEFT model."""
    from transformers import PrinterCallback

    from flextune.models.adapters import attach_adapter
    from flextune.models.starting import begin_with
    from flextune.training.arguments import recipe_callbacks, trainer_arguments, training_arguments
    from flextune.training.batches.padded import Collator
    from flextune.training.callbacks.logbook import Logbook
    from flextune.training.trainer import FlexTrainer

    rows, held_out = _rows(model, examples, validation, recipe.train)
    adapted = attach_adapter(model, recipe.adapter, recipe.seed)
    if start is not None:
        begin_with(adapted, start)
    trainer = FlexTrainer(
        model=adapted,
        args=training_arguments(model, recipe, folder, evaluate=bool(held_out)),
        train_dataset=rows,
        eval_dataset=held_out or None,
        data_collator=Collator(model.tokenizer.pad_token_id),
        callbacks=[
            *recipe_callbacks(recipe),
            *callbacks,
            Logbook(folder / layout.TRAINING_LOG, progress),
        ],
        base=model.model,
        **trainer_arguments(recipe),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    return adapted


def _rows(
    model: LoadedModel, examples: Sequence[Example], validation: Sequence[Example], train: TrainConfig
) -> tuple[list[dict[str, Tensor]], list[dict[str, Tensor]]]:
    """What is trained on, and what the validation loss is measured on, shortest first."""
    from flextune.training.batches.padded import COMPARED, encode_all

    compare = train.kl.tokens if train.kl is not None else None
    rows = encode_all(model.tokenizer, examples, train.max_length, train.loss, compare)
    if not rows:
        raise FlextuneError(f"nothing to learn from: {len(examples)} examples, none with a token that counts")
    if compare and not any(row[COMPARED][1:].any() for row in rows):
        raise FlextuneError("train.kl: no example has a prompt to compare predictions on; use tokens: all")
    held_out = encode_all(model.tokenizer, validation, train.max_length, train.loss)
    if train.early_stopping is not None and not held_out:
        raise FlextuneError(
            "train.early_stopping needs a validation loss, and there is no validation example"
        )
    held_out.sort(key=lambda row: len(row["input_ids"]))
    return rows, held_out


def _forget(folder: Path) -> None:
    """Make the folder, without what an earlier training left: an adapter there means "finished"."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (layout.ADAPTER, _PARTIAL):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    (folder / layout.SPECTRUM).unlink(missing_ok=True)


def _write(adapted: Any, folder: Path) -> None:
    """Write the spectrum, then the adapter, which appears whole."""
    from peft import get_peft_model_state_dict

    from flextune.spectral.spectrum import adapter_spectrum

    rows = adapter_spectrum(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    write_object(folder / layout.SPECTRUM, {"matrices": rows})
    partial = folder / _PARTIAL
    adapted.save_pretrained(str(partial), save_embedding_layers=False)
    # PEFT's model card is an empty form, and its config lists a set in an order that changes by process.
    (partial / "README.md").unlink(missing_ok=True)
    config = json.loads((partial / layout.ADAPTER_CONFIG).read_text())
    for key in ("target_modules", "target_parameters"):
        config[key] = sorted(config[key]) if config.get(key) else config.get(key)
    (partial / layout.ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for path in partial.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    partial.replace(folder / layout.ADAPTER)


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
