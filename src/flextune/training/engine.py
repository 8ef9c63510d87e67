"""Train one adapter from examples to a finished PEFT folder."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import DivergedError, FlextuneError, TrainingInterrupted
from flextune.models.adapter_folder import adapter_identity
from flextune.models.quantization import quantization_of
from flextune.records import Example
from flextune.runs import layout
from flextune.runs.keys import content_digest
from flextune.training.checkpoints import Checkpoints
from flextune.training.interrupts import Interrupts
from flextune.training.writing import PARTIAL, write_adapter, write_model, write_spectrum

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import TrainerCallback

    from flextune.config import Recipe
    from flextune.models.load import LoadedModel
    from flextune.training.batches.encoded import Encoded
    from flextune.training.trainer import FlexTrainer

Progress = Callable[[int, int], None]


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
    progress: Progress | None = None,
    device: torch.device | None = None,
) -> None:
    """Fine-tune a LoRA adapter, or all weights of the model, and write it.

    In ``folder``: ``training.jsonl`` and ``checkpoints/`` while it runs, then ``spectrum.json``, then
    ``adapter/`` in PEFT's format, which appears at once and only when the training is complete; checkpoints
    are removed then. Where all weights train it is ``model/``, a model folder, without a spectrum. A training
    that was killed goes on from the last checkpoint that is whole, and ends with the same bytes. On the CPU
    the weights depend on the arguments and the number of threads alone. The base model and the global random
    generators are left as they were.

    Processes of torchrun or ``accelerate launch`` train one adapter when all of them call this with the same
    arguments: that of one process, but for rounding and for dropout's draws. The first one writes; of a
    checkpoint each writes its part, so they need one folder.

    Args:
        model: The base model.
        examples: What it learns from.
        validation: Texts for the validation loss: before training, at about every tenth of the steps, and
            at the end. May be empty, but not with early stopping.
        recipe: Everything else that determines the adapter.
        folder: Made if it is not there.
        callbacks: Take part in the training beside those of the recipe, and after them. What the recipe's
            ``train.evaluate`` asks for is one of them (``flextune.runner.pass_at_one``).
        start: A LoRA adapter of the same shape and scale, whose matrices are trained on; None: fresh ones.
        resume: A ``checkpoint-N`` folder of the same training, to go on after its step N; None: the newest in
            ``folder``, if there is one (``control.should_save`` in a callback writes one).
        progress: Called with (steps done, steps in all).
        device: Where it trains, if not where the model is: a model that is to be sharded
            (``train.distributed: fsdp``) can stay in the CPU's memory.

    Raises:
        FlextuneError: No example to learn from, a target or option that the model, the device or the examples
            do not allow, a checkpoint of another training, a loss that is not finite, too little memory, or a
            folder that cannot be read or written.
        TrainingInterrupted: Ctrl-C was pressed; the step was finished and saved before.
    """
    from safetensors import SafetensorError

    from flextune.training import processes
    from flextune.training.arguments import check_recipe

    processes.start()
    place = device or model.model.device
    processes.in_all(lambda: check_recipe(model, recipe.train, place))
    if resume is not None and not (resume / "trainer_state.json").is_file():
        raise FlextuneError(f"{resume}: no trainer_state.json; it is not a checkpoint of a training")
    training = _Training(model, examples, validation, recipe, folder, start, place)
    try:
        with _preserved_randomness(), Interrupts() as interrupts:
            processes.by_main(lambda: _forget(folder))
            trainer = processes.in_all(lambda: training.trainer(callbacks, progress, interrupts))
            training.run(trainer, resume)
            training.finish(trainer)
    except (OSError, SafetensorError) as error:
        raise FlextuneError(f"{folder}: cannot be written ({error})") from error
    if interrupts.asked:
        raise TrainingInterrupted("interrupted; this training has finished")


@dataclass
class _Training:
    """One training, from its examples to a trained model."""

    model: LoadedModel
    examples: Sequence[Example]
    validation: Sequence[Example]
    recipe: Recipe
    folder: Path
    start: Path | None
    device: torch.device
    split: dict[str, Tensor] | None = None

    @cached_property
    def rows(self) -> tuple[Encoded, Encoded]:
        """What is trained on, and what the validation loss is measured on, shortest first."""
        from flextune.training.batches.encoded import encode
        from flextune.training.batches.padded import COMPARED

        train, tokenizer = self.recipe.train, self.model.tokenizer
        compare = train.kl.tokens if train.kl is not None else None
        learned = encode(tokenizer, self.examples, train.max_length, train.loss, compare)
        learned.warn(train.max_length)
        if not learned.rows:
            raise FlextuneError(
                f"nothing to learn from: {len(self.examples)} examples, none with a token that counts"
            )
        if compare and not any(row[COMPARED][1:].any() for row in learned.rows):
            raise FlextuneError(
                "train.kl: no example has a prompt to compare predictions on; use tokens: all"
            )
        held_out = encode(tokenizer, self.validation, train.max_length, train.loss)
        if train.kept_by == "eval_loss" and not held_out.rows:
            key = "early_stopping" if train.keep_best is None else "keep_best: eval_loss"
            raise FlextuneError(f"train.{key} needs a validation loss, and there is no validation example")
        held_out.rows.sort(key=lambda row: len(row["input_ids"]))
        return learned, held_out

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """Where it goes on from."""
        import torch
        import transformers

        from flextune.training.processes import label

        model = self.model
        training = {
            "model": model.identity,
            "dtype": str(model.model.dtype).removeprefix("torch."),
            "quantization": quantization_of(model.model),
            "examples": content_digest([*self.examples, *self.validation]),
            "start": None if self.start is None else adapter_identity(self.start),
            **self.recipe.given(),
        }
        circumstances = {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "device": self.device.type,
            "threads": torch.get_num_threads(),
        }
        together = label(self.recipe.train)
        return Checkpoints(self.folder / layout.CHECKPOINTS, training, circumstances, together)

    def trainer(
        self, callbacks: Sequence[TrainerCallback], progress: Progress | None, interrupts: Interrupts
    ) -> FlexTrainer:
        """A Trainer that is ready to begin."""
        from transformers import PrinterCallback

        from flextune.training.arguments import recipe_callbacks, trainer_arguments, training_arguments
        from flextune.training.batches.choice import choose_batches
        from flextune.training.batches.dealing import deal_out
        from flextune.training.callbacks.keeping import KeepBestCallback
        from flextune.training.callbacks.logbook import Logbook
        from flextune.training.callbacks.saving import Saving
        from flextune.training.memory import recompute_activations, use_liger
        from flextune.training.pieces import half_of
        from flextune.training.processes import rank, sharded, world
        from flextune.training.trainer import FlexTrainer

        model, recipe = self.model, self.recipe
        learned, held_out = self.rows
        adapted = self._trained()
        if recipe.train.gradient_checkpointing:
            recompute_activations(adapted)
        if recipe.train.use_liger_kernel:
            use_liger(adapted)
        train, own, shard = recipe.train, trainer_arguments(recipe), sharded(recipe.train)
        deal = deal_out(
            train.batch_size,
            train.gradient_accumulation_steps,
            world(),
            # An estimate of Sophia's squares what a sharded model's processes have at the same time.
            joined=shard and "sophia" in own,
        )
        arguments = training_arguments(
            model, recipe, self.folder, deal=deal, device=self.device, evaluate=bool(held_out.rows)
        )
        members = recipe_callbacks(recipe)
        keeping = next((each for each in members if isinstance(each, KeepBestCallback)), None)
        trainer = FlexTrainer(
            model=adapted,
            args=arguments,
            train_dataset=learned.rows,
            eval_dataset=held_out.rows or None,
            batches=choose_batches(
                adapted,
                recipe.train,
                pad=model.tokenizer.pad_token_id,
                computed=half_of(arguments) or model.model.dtype,
            ),
            callbacks=[
                *members,
                *callbacks,
                *([] if rank() else [Logbook(self.folder / layout.TRAINING_LOG, progress, keeping)]),
                Saving(recipe.train.save_steps, interrupts),
            ],
            checkpoints=self.checkpoints,
            encoded=learned,
            deal=deal if world() > 1 else None,
            shard=shard,
            base=model.model,
            **own,
        )
        trainer.remove_callback(PrinterCallback)
        return trainer

    def _trained(self) -> Any:
        """What trains: a view of the model with an adapter, or a copy of the model."""
        from flextune.models.adapters import attach_adapter
        from flextune.models.split_start import split_start
        from flextune.models.starting import begin_with
        from flextune.models.whole import whole_model
        from flextune.training.processes import sharded

        adapter = self.recipe.adapter
        if adapter is None:
            if self.start is not None:
                raise FlextuneError("start: a training of all weights has no matrices to begin with")
            if sharded(self.recipe.train):
                raise FlextuneError(
                    "adapter: null: weights that all train are not saved by FSDP here; use"
                    " train.distributed: ddp, or train an adapter"
                )
            return whole_model(self.model)
        adapted = attach_adapter(self.model, adapter, self.recipe.seed)
        self.split = split_start(adapted)
        if self.start is not None:
            begin_with(adapted, self.start)
        return adapted

    def run(self, trainer: FlexTrainer, resume: Path | None) -> None:
        """Train to the end.

        Raises:
            FlextuneError: The loss is not finite, or memory does not suffice; says what to do.
        """
        from flextune.training.processes import by_main

        resume = by_main(lambda: self._checkpoint(resume))
        try:
            trainer.train(resume)
        except DivergedError as error:
            raise DivergedError(f"{error}{self._kept(trainer)}") from None
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            train = self.recipe.train
            raise FlextuneError(
                f"out of memory at step {trainer.state.global_step + 1} ({train.batch_size} texts of up to"
                f" {train.max_length} tokens a batch): lower train.batch_size and raise"
                " train.gradient_accumulation_steps by as much, lower train.max_length, or set"
                " train.gradient_checkpointing: true or quantization: nf4"
            ) from error

    def _checkpoint(self, asked: Path | None) -> Path | None:
        """What it goes on from."""
        if asked is None:
            return self.checkpoints.newest()
        self.checkpoints.check(asked)
        return asked

    def finish(self, trainer: FlexTrainer) -> None:
        """Write what a finished training leaves."""
        from flextune.training.processes import by_main
        from flextune.training.sharding import whole_state

        state = whole_state(trainer.model)

        def write() -> None:
            if self.recipe.adapter is not None:
                write_spectrum(trainer.model, self.folder, state, self.split)
            self._write(trainer, layout.MODEL if self.recipe.adapter is None else layout.ADAPTER, state)
            self.checkpoints.clear()

        by_main(write)

    def _write(self, trainer: FlexTrainer, name: str, state: dict[str, Tensor] | None) -> None:
        """Write the adapter's folder, or the model's."""
        tokenizer, card = self.model.tokenizer, self._card(trainer)
        if self.recipe.adapter is None:
            dtype = self.model.model.dtype
            write_model(trainer.model, self.folder, dtype=dtype, tokenizer=tokenizer, card=card, name=name)
            return
        write_adapter(
            trainer.model,
            self.folder,
            tokenizer=tokenizer,
            card=card,
            name=name,
            state=state,
            split=self.split,
        )

    def _card(self, trainer: FlexTrainer) -> str:
        from flextune.training.card import model_card

        learned, held_out = self.rows
        losses = [row for row in trainer.state.log_history if "loss" in row or "eval_loss" in row]
        last = {key: row[key] for row in losses for key in ("loss", "eval_loss") if key in row}
        return model_card(
            base=self.model.name,
            recipe=self.recipe.row(),
            counts={
                "examples": learned.examples,
                "trained on": len(learned.rows),
                "cut to max_length": len(learned.cut),
                "left out, with an empty completion": len(learned.empty),
                "left out, without a token that counts": len(learned.unlearned),
                "held out for the validation loss": len(held_out.rows),
            },
            trained={
                "steps": trainer.state.global_step,
                "batches": trainer.batches.kind,
                **{f"last {key}": f"{value:.4f}" for key, value in last.items()},
            },
            quantization=quantization_of(self.model.model),
            commit=self.model.commit,
        )

    def _kept(self, trainer: FlexTrainer) -> str:
        """Keep the adapter of the last good step, and say where."""
        import torch

        from flextune.training.processes import anywhere, by_main
        from flextune.training.sharding import whole_state

        state = whole_state(trainer.model)
        weights = (state or {n: w for n, w in trainer.model.named_parameters() if w.requires_grad}).values()
        bad = not all(bool(torch.isfinite(weight).all()) for weight in weights)
        if not trainer.state.global_step or anywhere(bad)[0]:
            return ""
        by_main(lambda: self._write(trainer, layout.LAST_GOOD, state))
        kept = self.folder / layout.LAST_GOOD
        return f"; the adapter after step {trainer.state.global_step} is kept in {kept}"


def _is_out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _forget(folder: Path) -> None:
    """Make the folder, without what an earlier training left: an adapter there means "finished"."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (layout.ADAPTER, layout.MODEL, layout.LAST_GOOD, PARTIAL):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    (folder / layout.SPECTRUM).unlink(missing_ok=True)


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
