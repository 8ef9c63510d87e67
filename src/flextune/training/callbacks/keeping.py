"""Keep the best weights of a training by a number that it logs, and end it when that no longer improves."""

from __future__ import annotations

import logging
import math
from typing import Any

from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_logger = logging.getLogger(__name__)


class KeepBestCallback(TrainerCallback):
    """Keeps the trainable weights of the best value of a logged number, in any ``transformers.Trainer``.

        trainer.add_callback(KeepBestCallback("pass_at_1_java", patience=3))

    At the end of the training the model has these weights, which may be the ones before the first step;
    ``best_step`` and ``best`` say which. Of two equal values the earlier counts. A value that is not a number
    is no improvement. The weights are kept in memory, on their device: an adapter is small. Every process
    must see the same value. Nothing here is random.

    Args:
        metric: Its name in the Trainer's logs: ``eval_loss``, ``loss``, ``pass_at_1_java``, ...
        patience: End the training after so many values in a row without a new best; None: never.
        greater_is_better: None: of names that begin with ``pass_at_1`` the greatest, of others the lowest.
    """

    def __init__(
        self, metric: str = "eval_loss", *, patience: int | None = None, greater_is_better: bool | None = None
    ) -> None:
        self.metric = metric
        self.patience = patience
        greater = metric.startswith("pass_at_1") if greater_is_better is None else greater_is_better
        self._sign = -1.0 if greater else 1.0
        self._trains = False
        self._forget()

    def _forget(self) -> None:
        self._best = math.inf
        self._weights: dict[str, Tensor] = {}
        self._best_step: int | None = None
        self._waited = 0

    @property
    def best_step(self) -> int | None:
        """The step of the best value; None before there is one."""
        return self._best_step

    @property
    def best(self) -> float:
        """The best value."""
        return self._sign * self._best

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Forget what an earlier training of this object was."""
        self._forget()
        self._trains = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Keep the weights of a new best value; stop after ``patience`` values without one."""
        if not self._trains or logs is None or self.metric not in logs:
            return
        value = self._sign * float(logs[self.metric])
        # A value that is not a number is no improvement: the comparison is False.
        if value < self._best:
            self._best, self._best_step, self._waited = value, state.global_step, 0
            self._weights = {name: weight.detach().clone() for name, weight in _trainable(model)}
            return
        self._waited += 1
        control.should_training_stop |= self.patience is not None and self._waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: the best weights so far, and how long they have been the best."""
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
        """Put the best weights back into the model."""
        self._trains = False
        if self._best_step is None:
            _logger.warning("no finite %s was logged: the last weights are kept", self.metric)
        elif self._best_step != state.global_step:
            for name, weight in _trainable(model):
                weight.data.copy_(self._weights[name])
        self._weights = {}


def _trainable(model: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
