"""A transformers Trainer that adds the frequency-domain penalty's gradient where it belongs."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer

from flextune.models.encoding import IGNORED
from flextune.records import FlextuneError
from flextune.spectral.penalty import Penalty
from flextune.training.batches import GroupedOrder


class FlexTrainer(Trainer):
    """Trainer for LoRA with a penalty on every LoRA matrix.

    The penalty's gradient is added once per optimizer step, after the last micro-batch's backward pass
    and before clipping. So it does not depend on how many micro-batches make a step, the clipped norm
    is that of the whole gradient, and the logged task and validation losses stay free of it. (A term
    in ``compute_loss`` would be multiplied by the number of micro-batches and would be logged.)

    Logs also hold ``penalty``, the mean of ``strength * L`` since the last log. The validation loss is
    the mean over counted tokens, not over batches.

    Args:
        penalty: What is added, or None.
        strength: lambda.
        **kwargs: Of ``transformers.Trainer``.

    Raises:
        ValueError: A penalty, but no trainable LoRA matrix.
        FlextuneError: While training, at the first loss that is not finite.
    """

    def __init__(self, *, penalty: Penalty | None = None, strength: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.penalty = penalty
        self.strength = strength
        self._matrices = lora_parameters(self.model)
        if penalty is not None and not self._matrices:
            raise ValueError("the penalty acts on LoRA matrices, and this model has no trainable one")
        self._penalty_sum: Tensor | float = 0.0
        self._penalty_steps = 0
        self._held_out = torch.zeros(2, dtype=torch.float64)
        self._weights_per_token = sum(parameter.numel() for parameter in self.model.parameters())

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """One micro-batch; on the last of a step the penalty's gradient is added."""
        loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
        # Reading the loss waits for the device; on the CPU that costs nothing.
        look = loss.device.type == "cpu" or self.state.global_step % self.args.logging_steps == 0
        if look and not math.isfinite(loss.item()):
            raise FlextuneError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1} (learning rate "
                f"{self._get_learning_rate():.3g}, {self.model.dtype}): lower train.learning_rate"
                " or use a wider dtype"
            )
        if self.penalty is not None and self.strength and self.accelerator.sync_gradients:
            self._add_penalty(self.penalty)
        return loss

    def _add_penalty(self, penalty: Penalty) -> None:
        # In float16 the gradients still carry the loss scale; clipping and the step divide by it.
        scaler = self.accelerator.scaler
        scale = self.strength * (scaler.get_scale() if scaler is not None else 1.0)
        value = penalty.add_gradients_(self._matrices, scale)
        self._penalty_sum = self._penalty_sum + self.strength * value
        self._penalty_steps += 1

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add ``penalty`` to the lines that hold a training loss."""
        if "loss" in logs:
            logs["penalty"] = float(self._penalty_sum) / max(self._penalty_steps, 1)
            self._penalty_sum, self._penalty_steps = 0.0, 0
        super().log(logs, start_time)

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Count what each batch adds to the mean over tokens."""
        result = super().prediction_step(model, inputs, *args, **kwargs)
        tokens = int(inputs["labels"][:, 1:].ne(IGNORED).sum())
        self._held_out += torch.tensor([result[0].item() * tokens, tokens], dtype=torch.float64)
        return result

    def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> Any:
        """As the Trainer's, which averages over batches however many tokens they count."""
        self._held_out.zero_()
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **kwargs)
        total, tokens = self._held_out.tolist()
        output.metrics[f"{metric_key_prefix}_loss"] = total / tokens
        return output

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """The Trainer counts the model's parameters anew for every batch; they do not change."""
        return int(6 * inputs["input_ids"].numel() * self._weights_per_token)

    def _get_train_sampler(self, train_dataset: Any = None) -> GroupedOrder:
        rows = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(row["input_ids"]) for row in rows]
        return GroupedOrder(lengths, self.args.train_batch_size, self.args.seed)


def lora_parameters(model: Any) -> list[Any]:
    """The trainable A and B matrices, in the model's order."""
    return [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (".lora_A." in name or ".lora_B." in name)
    ]
