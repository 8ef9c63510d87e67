"""The penalty on a model's LoRA matrices: one interface, three ways to apply it.

    pairs = lora_pairs(model)
    penalty = Penalty(PenaltyForm(kind="fourier"))

- ``loss``: ``loss + strength * penalty.value(pairs)``; autograd does the rest.
- ``gradient``: ``penalty.add_gradients_(pairs, strength)`` between backward and the optimizer's step.
- ``proximal``: ``penalty.proximal_(pairs, learning_rate * strength)`` after the optimizer's step.

Each method says where clipping falls, and what accumulation, mixed precision, skipped steps and several
processes ask of the caller. The functions behind it are in ``operators`` and ``update``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from flextune.spectral.factors import FactorSet
from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import LoraPair
from flextune.spectral.sharding import add_to_gradients, assign
from flextune.spectral.updates import UpdateSet

Items = Sequence[LoraPair | Tensor]


class Penalty:
    """A penalty on LoRA pairs, or on any real tensors where the form does not need pairs.

    Half precision is computed in float32, whatever autocast says. Vectors of one length (pairs of one
    shape for kind ``update``) share their transforms. Sharded parameters (DTensor) have the values,
    gradients and steps of whole ones; every process must then make the same calls, as for any collective.

    Args:
        form: Which penalty; the default one without.

    Raises:
        ValueError: From every method: no matrix to act on, a tensor that has no spectrum, by its name, or a
            form of the change and a matrix whose start is not known.
    """

    def __init__(self, form: PenaltyForm | None = None) -> None:
        self.form = form or PenaltyForm()

    def penalised(self, items: Items) -> list[Tensor]:
        """The tensors that the penalty acts on, in the order of ``value_and_gradients``."""
        return self._set(items).tensors

    def value(self, items: Items) -> Tensor:
        """The penalty as a scalar that autograd can differentiate (twice, if need be): the way ``loss``.

        Clipping sees one gradient, of task and penalty. Under accumulation the term has to enter once per
        optimizer step: add it to one micro-batch, or its share to each. A loss scale multiplies it with the
        rest, and a skipped step skips it. Under DDP and FSDP every process adds the same term, whose mean
        over processes is the term itself. The logged loss contains it.
        """
        chosen = self._set(items)
        with _full_precision(chosen.tensors):
            return chosen.value()

    def value_and_gradients(self, items: Items) -> tuple[Tensor, list[Tensor]]:
        """The penalty and the gradient of each of ``penalised(items)``, float32 or float64, no graph."""
        chosen = self._set(items)
        with torch.no_grad(), _full_precision(chosen.tensors):
            return chosen.differentiate()

    def add_gradients_(self, items: Items, scale: float = 1.0) -> Tensor:
        """Add ``scale`` times the gradient to the parameters' ``.grad``: the way ``gradient``.

        Call it once per optimizer step, after the last micro-batch's backward pass; accumulation then
        does not multiply it, and under DDP and FSDP the gradients are reduced by then: every process adds
        the same. Before clipping, the whole gradient is clipped, as in ``value``; after it, the task's
        alone. Where gradients carry a loss scale, multiply ``scale`` by ``scaler.get_scale()``. A skipped
        step drops it with the rest. Frozen parameters are left alone; a missing ``.grad`` counts as zero.

        Returns:
            The penalty (not scaled), without a graph.
        """
        chosen = self._set(items)
        with torch.no_grad(), _full_precision(chosen.tensors):
            value, gradients = chosen.differentiate()
            add_to_gradients(chosen.tensors, gradients, scale)
        return value

    def proximal_(self, items: Items, step: float) -> None:
        """Replace the parameters by their proximal point: the way ``proximal``, as decoupled weight decay is.

            ``w <- argmin_u |u - w|^2 / 2 + step L(u)``

        Exact, and stable for every step size. (Kind ``update`` takes one factor at a time, A given B, then
        B given the new A; each half is exact.) Call it with ``learning_rate * strength`` once per optimizer
        step, after the optimizer, and not after a skipped step. Neither clipping, nor Adam's scaling, nor a
        loss scale touches it, so a strength is on the scale of AdamW's weight decay here (see
        ``form.decoupled_strength``). Every process takes the same step. Keep the parameters in float32: half
        precision loses steps below its rounding. Frozen parameters are left alone.

        Raises:
            ValueError: A negative step.
        """
        if not step >= 0:
            raise ValueError(f"step {step}: a proximal step is at least 0")
        chosen = self._set(items)
        with torch.no_grad(), _full_precision(chosen.tensors):
            assign(chosen.tensors, chosen.shrink(step))

    def _set(self, items: Items) -> FactorSet | UpdateSet:
        if self.form.of == "change":
            _require_starts(items)
        return (UpdateSet if self.form.kind == "update" else FactorSet)(items, self.form)


def _require_starts(items: Items) -> None:
    for index, item in enumerate(items):
        if not isinstance(item, LoraPair) or item.start is None:
            name = item.name if isinstance(item, LoraPair) else f"tensor {index}"
            raise ValueError(
                f"{name}: of 'change' needs what it was when training began; hand in a LoRA pair with a start"
            )


def _full_precision(tensors: Sequence[Tensor]) -> AbstractContextManager[None]:
    """Autocast would run products of matrices in half precision."""
    return torch.autocast(tensors[0].device.type, enabled=False)
