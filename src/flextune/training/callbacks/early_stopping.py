"""Early stopping that keeps the best adapter."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class EarlyStopping(TrainerCallback):
    """Ends a training after ``patience`` validations in a row without a new lowest loss.

    At the end the trainable weights are those of the lowest loss, which may be the ones before the first
    step; ``state.best_global_step`` and ``state.best_metric`` say which. They are kept in memory: an adapter
    is small. Every process must see the same validation loss. Nothing here is random.

    Args:
        patience: At least 1.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self._forget()

    def _forget(self) -> None:
        self._best = math.inf
        self._weights: dict[str, Tensor] = {}
        self._best_step = 0
        self._waited = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Forget what an earlier training of this object was."""
        self._forget()

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Keep the weights of a new lowest loss; stop after ``patience`` validations without one."""
        # A loss that is not a number is no improvement: the comparison is False.
        if metrics["eval_loss"] < self._best:
            self._best, self._best_step, self._waited = metrics["eval_loss"], state.global_step, 0
            self._weights = {name: weight.detach().clone() for name, weight in _trainable(model)}
            state.best_metric, state.best_global_step = self._best, self._best_step
            return
        self._waited += 1
        control.should_training_stop |= self._waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: the best adapter so far, and how long it has been the best."""
        return {
            "best": self._best,
            "best_step": self._best_step,
            "waited": self._waited,
            "weights": dict(self._weights),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._best, self._best_step = state["best"], state["best_step"]
        self._waited, self._weights = state["waited"], dict(state["weights"])

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Put the weights of the lowest loss back into the model."""
        if self._weights and self._best_step != state.global_step:
            for name, weight in _trainable(model):
                weight.data.copy_(self._weights[name])
        self._weights = {}


def _trainable(model: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
