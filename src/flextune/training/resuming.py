"""A Trainer that is saved whole: with what transformers' Trainer forgets between two log lines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from flextune.errors import DivergedError
from flextune.files.objects import read_object
from flextune.models.whole import base_of
from flextune.training.callbacks.saving import members_state, restore_members
from flextune.training.checkpoints import Checkpoints
from flextune.training.processes import agree
from flextune.training.sharding import packed, unpacked, whole_state


class ResumingMixin:
    """Checkpoints that a training goes on from as if it had never stopped.

    The Trainer keeps weights, optimizer, schedule, loss scale, generators and its own state. Added are the
    sums since the last log line, the clock, and what callbacks with ``state_dict`` and ``load_state_dict``
    keep. A private generator is kept by whoever has it; ``SophiaMixin`` draws from the step's number instead.

    Args:
        *args: Of the Trainer.
        checkpoints: Where they lie; None: as the Trainer's arguments say, without what is added.
        **kwargs: Of the Trainer.
    """

    def __init__(self, *args: Any, checkpoints: Checkpoints | None = None, **kwargs: Any) -> None:
        self.checkpoints = checkpoints
        self._resumed_from: Path | None = None
        self._sampler: Sampler[list[int]] | None = None
        super().__init__(*args, **kwargs)
        self.add_callback(_Restorer(self))  # type: ignore[attr-defined]

    def train(self, resume_from_checkpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The Trainer's; a resumed training has had its validation at the start."""
        self._resumed_from = None
        if isinstance(resume_from_checkpoint, (str, Path)):
            self._resumed_from = Path(resume_from_checkpoint)
            resume_from_checkpoint = str(resume_from_checkpoint)
            arguments: Any = self.args  # type: ignore[attr-defined]
            arguments.eval_on_start = False
            # The Trainer goes by the state's, and warns where a share of the steps was asked for.
            state = read_object(self._resumed_from / "trainer_state.json")
            for name in ("eval_steps", "logging_steps", "save_steps"):
                setattr(arguments, name, state.get(name, getattr(arguments, name)))
        return super().train(resume_from_checkpoint, *args, **kwargs)  # type: ignore[misc]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        trainer: Any = self
        if self.checkpoints is None:
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
            return
        # The adapter itself is written next.
        if trainer.control.should_training_stop:
            return
        self._refuse_bad_numbers()
        main, wait = trainer.accelerator.is_main_process, trainer.accelerator.wait_for_everyone
        with trainer._stopwatch.paused():
            if main:
                self.checkpoints.begin()
            wait()
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
            step = trainer.state.global_step
            torch.save(self._sums(), self.checkpoints.written(step) / _own_file(trainer.args))
            wait()
            if main:
                self.checkpoints.finish(step)
            wait()

    def _get_output_dir(self, trial: Any = None) -> str:
        if self.checkpoints is not None:
            return str(self.checkpoints.partial)
        return str(super()._get_output_dir(trial))  # type: ignore[misc]

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """The adapter alone, without asking the hub whether the vocabulary has grown; or the whole model."""
        if self.checkpoints is None:
            super()._save(output_dir, state_dict)  # type: ignore[misc]
            return
        trainer: Any = self
        model, whole = trainer.model, whole_state(trainer.model)
        if trainer.args.should_save:
            # A whole model with the names of its modules, as the Trainer reads them again.
            key = "save_original_format" if base_of(model) is model else "save_embedding_layers"
            model.save_pretrained(output_dir, state_dict=whole or state_dict, **{key: False})

    def _refuse_bad_numbers(self) -> None:
        """A checkpoint is what a training goes on from: it has no loss behind it that is not a number."""
        loss = self._tr_loss.item()  # type: ignore[attr-defined]
        step = self.state.global_step  # type: ignore[attr-defined]
        what = f"the loss is {loss} within the last steps before step {step + 1}"
        agree(None if math.isfinite(loss) else DivergedError(what))

    def _sums(self) -> dict[str, Any]:
        trainer: Any = self
        stopwatch, term = trainer._stopwatch, trainer._term
        return {
            "loss": trainer._tr_loss.detach().cpu(),
            "logged": trainer._globalstep_last_logged,
            "clock": (stopwatch.seconds, stopwatch.cpu_seconds),
            "kl": (float(trainer._divergence), trainer._divergence_steps),
            "penalty": None if term is None else term.state_dict(),
            "members": packed(members_state(trainer.callback_handler.callbacks)),
        }

    def _restore(self, state: TrainerState) -> None:
        trainer: Any = self
        if self._sampler is not None and state.epoch is not None:
            # Early versions of accelerate lose the epoch where a training goes on within one.
            self._sampler.set_epoch(int(state.epoch))  # type: ignore[attr-defined]
        file = None if self._resumed_from is None else self._resumed_from / _own_file(trainer.args)
        if file is None or not file.is_file():
            return
        sums = torch.load(file, map_location="cpu", weights_only=True)
        trainer._tr_loss += sums["loss"].to(trainer._tr_loss.device)
        trainer._globalstep_last_logged = sums["logged"]
        trainer._stopwatch.earlier = sums["clock"]
        trainer._divergence, trainer._divergence_steps = sums["kl"]
        if sums["penalty"] is not None and trainer._term is not None:
            trainer._term.load_state_dict(sums["penalty"])
        restore_members(trainer.callback_handler.callbacks, unpacked(sums["members"], trainer.model))


class _Restorer(TrainerCallback):
    """Gives a resumed training its sums back, once everybody has begun afresh."""

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Do it; the place of this callback is the last."""
        self.trainer._restore(state)


def _own_file(args: TrainingArguments) -> str:
    return f"flextune_{args.process_index}.pt"
