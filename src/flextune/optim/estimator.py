"""What estimators of the Hessian's diagonal share: tokens, micro-batches, generators, processes."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from flextune.optim.groups import Parameters, Reduce, blocks_of, local
from flextune.optim.together import Together, Turn

_logger = logging.getLogger(__name__)

IGNORED = -100

# Logits ``(tokens, classes)`` and labels ``(tokens,)`` of the counted tokens of a batch.
Predict = Callable[[Any, Mapping[str, Any]], tuple[Tensor, Tensor]]


def causal_tokens(model: Any, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Logits and labels of a causal language model, where the label is not -100.

    Args:
        model: Called with the batch without its labels; gives logits ``(batch, tokens, vocabulary)``, or
            an object that has them as ``logits``.
        batch: With ``labels`` ``(batch, tokens)``, not shifted.

    Raises:
        ValueError: The batch has no labels.
    """
    if "labels" not in batch:
        raise ValueError(f"a curvature estimate needs labels, and the batch has only {', '.join(batch)}")
    output = model(**{key: value for key, value in batch.items() if key != "labels"})
    logits = output if isinstance(output, Tensor) else output.logits
    labels = batch["labels"][:, 1:].to(logits.device)
    counted = labels != IGNORED
    return logits[:, :-1][counted], labels[counted]


class Estimator(ABC):
    """Estimates the diagonal of the Hessian of the mean loss over counted tokens.

        for batch in micro_batches:
            estimator.accumulate(model, batch)
        optimizer.update_hessian(estimator.finish())

    It reads no ``.grad`` and leaves none changed, and nothing of it is clipped. The model runs in the mode
    that it is in, under the caller's autocast.

    Args:
        parameters: The optimizer's tensors in its order, or its ``param_groups``.
        seed: Of the estimator's own generators, and of nothing else: no draw moves a global one. Give every
            process its own.
        predict: How a batch becomes logits and labels.
        reduce: Adds up a tensor over processes in place, ``torch.distributed.all_reduce`` for one. Every
            process must then make the same calls.
        together: The processes take parts of what are one process's micro-batches, in its order. With one
            seed in all of them the estimate is then that process's own.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        seed: int = 0,
        predict: Predict = causal_tokens,
        reduce: Reduce | None = None,
        together: Together | None = None,
    ) -> None:
        self.blocks = blocks_of(parameters)
        self.parameters = [parameter for block in self.blocks for parameter in block]
        self.seed = seed
        self.predict = predict
        self.reduce = reduce
        self.together = together
        self._generators: dict[str, torch.Generator] = {}
        self._totals: list[Tensor] | None = None
        self._tokens = 0
        self._warned = False

    def check(self, model: Any) -> None:
        """Refuse, before any batch, a model that ``accumulate`` would refuse.

        Raises:
            ValueError: What the model lacks, and what to use.
        """
        return

    @abstractmethod
    def accumulate(self, model: Any, batch: Mapping[str, Any], *, scale: float = 1.0) -> None:
        """Take in one micro-batch.

        Args:
            model: The model as the loop has it, or without its DistributedDataParallel.
            batch: With labels; those of -100 are not counted.
            scale: Multiplies the loss for the backward pass and is divided out again: a float16 run's
                ``GradScaler.get_scale()``.
        """

    def finish(self) -> list[Tensor] | None:
        """The estimate from all micro-batches since the last one, in the parameters' order, float32.

        None, with one warning per estimator, where no label was counted.
        """
        totals, tokens = self._totals or self._zeros(), self._tokens
        self._totals, self._tokens = None, 0
        if self.reduce is not None:
            tokens = self._reduce_totals(totals, tokens, self.reduce)
        if not tokens:
            if not self._warned:
                _logger.warning(
                    "every label of the batch is masked (-100): no curvature estimate was made from it"
                )
                self._warned = True
            return None
        torch._foreach_div_([local(total) for total in totals], float(tokens))
        return totals

    def state_dict(self) -> dict[str, Any]:
        """Where the generators stand: what a bit-exact resume needs. Call it between two estimates."""
        return {name: generator.get_state() for name, generator in self._generators.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue the draws of the estimator that gave ``state``."""
        self._generators.clear()
        for name, position in state.items():
            self.generator(torch.device(name)).set_state(position.cpu())

    def reseed(self, seed: int) -> None:
        """Restart the draws: with a seed made from the step, a resume needs no state."""
        self.seed = seed
        self._generators.clear()

    def generator(self, device: torch.device) -> torch.Generator:
        """The estimator's own generator on a device."""
        if str(device) not in self._generators:
            generator = torch.Generator(device)
            generator.manual_seed(self.seed + 7919 * (device.index or 0))
            self._generators[str(device)] = generator
        return self._generators[str(device)]

    def _turn(self, logits: Tensor) -> Turn | None:
        """What all processes have in hand, where they share micro-batches."""
        return None if self.together is None else self.together.turn(len(logits), logits.device)

    def _add(self, parts: Sequence[Tensor], tokens: int) -> None:
        """Add what ``tokens`` tokens contribute, not yet divided by their number."""
        if self._totals is None:
            self._totals = self._zeros()
        torch._foreach_add_([local(total) for total in self._totals], list(parts))
        self._tokens += tokens

    def _zeros(self) -> list[Tensor]:
        return [torch.zeros_like(each, dtype=torch.float32, requires_grad=False) for each in self.parameters]

    def _reduce_totals(self, totals: list[Tensor], tokens: int, reduce: Reduce) -> int:
        """Totals and tokens over all processes; one call, since there are many small tensors."""
        device = totals[0].device
        flat = torch.cat([total.flatten().to(device) for total in totals])
        counted = torch.tensor(tokens, device=device)
        reduce(flat)
        reduce(counted)
        sizes = [total.numel() for total in totals]
        for total, part in zip(totals, flat.split(sizes), strict=True):
            total.copy_(part.view_as(total))
        return int(counted)
