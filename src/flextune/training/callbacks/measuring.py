"""Measure a model while it trains, in any Trainer, without disturbing the training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from flextune.errors import FlextuneError
from flextune.spectral.sharding import is_sharded
from flextune.training.callbacks.handlers import handler_of
from flextune.training.processes import by_main
from flextune.training.usage import preserved_generators


class MeasuringCallback(TrainerCallback):
    """Calls ``measure`` before the first step, every few steps and after the last, and logs what it finds.

    What is found is logged as a line of its own, to ``state.log_history``, all callbacks and reporters. The
    model is in evaluation mode meanwhile, and computes in the type of its weights. Afterwards the mode of
    each module and the global generators are as they were, so that the training goes on as without the
    callback.

    Of several processes the first measures and the others wait.

    Args:
        every: Steps between two measurements. None: one at each evaluation of the Trainer, whose metrics then
            have the numbers too, as ``eval_NAME``, so that ``metric_for_best_model`` can name them.
    """

    def __init__(self, every: int | None = None) -> None:
        if every is not None and every < 1:
            raise FlextuneError(f"every {every}: must be 1 step or more")
        self.every = every
        #: A context in which the clock of the training stands still.
        self.apart: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
        self._before = False

    def measure(
        self, model: nn.Module, tokenizer: Any, args: TrainingArguments, step: int
    ) -> Mapping[str, float]:
        """Names to numbers; a number that is unknown is NaN.

        Args:
            model: In evaluation mode.
            tokenizer: The Trainer's ``processing_class``; may be None.
            args: The Trainer's.
            step: Optimizer steps so far.
        """
        raise NotImplementedError

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Refuse what would never be measured, or by no process alone."""
        self._before = state.global_step == 0
        if self.every is None and str(getattr(args.eval_strategy, "value", args.eval_strategy)) == "no":
            raise FlextuneError(
                f"{type(self).__name__}: give every=STEPS, or the Trainer an eval_strategy and eval_dataset"
            )
        if any(map(is_sharded, model.parameters())) or args.fsdp:
            raise FlextuneError(
                f"{type(self).__name__}: the weights are spread over processes (FSDP), and one alone cannot"
                " generate; evaluate after the training, or train with DDP"
            )

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure before the first step, when every callback has begun."""
        if self._before and self.every is not None:
            self._measured(args, state, control, **kwargs)
        self._before = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure where it is due, and after the last step."""
        if self.every is None:
            return
        if state.global_step % self.every == 0 or state.global_step >= state.max_steps:
            self._measured(args, state, control, **kwargs)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Measure beside the Trainer's own evaluation, where no steps were given."""
        if self.every is None:
            found = self._measured(args, state, control, **kwargs)
            metrics.update({f"eval_{name}": value for name, value in found.items()})

    def _measured(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        processing_class: Any = None,
        **kwargs: Any,
    ) -> dict[str, float]:
        with self.apart(), undisturbed(model, args.device):
            found = by_main(lambda: dict(self.measure(model, processing_class, args, state.global_step)))
        logs = dict(found)
        if state.epoch is not None:
            logs["epoch"] = state.epoch
        state.log_history.append({**logs, "step": state.global_step})
        if (handler := handler_of(self)) is not None:
            # Not by the handler's on_log, which takes back that the loss of this step is to be logged.
            handler.call_event("on_log", args, state, control, logs=logs)
        return found


@contextlib.contextmanager
def undisturbed(model: nn.Module, device: torch.device) -> Iterator[None]:
    """A model in evaluation mode, in the type of its weights; modes and generators come back as they were.

    Args:
        model: As the Trainer has it, perhaps with accelerate's autocast around its forward pass.
        device: Of the training.
    """
    modes = [(module, module.training) for module in model.modules()]
    wrapped = vars(model).get("forward") if "_original_forward" in vars(model) else None
    model.eval()
    if wrapped is not None:
        model.forward = vars(model)["_original_forward"]
    try:
        with preserved_generators(device):
            yield
    finally:
        if wrapped is not None:
            model.forward = wrapped
        for module, trained in modes:
            module.training = trained
