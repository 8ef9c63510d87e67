"""A set of LoRA pairs whose penalty is on the spectra of their updates: one batch per shape and scale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from flextune.spectral.factors import computable, total
from flextune.spectral.form import PenaltyForm
from flextune.spectral.operators import mask_on
from flextune.spectral.pairs import LoraPair, require_real
from flextune.spectral.sharding import whole
from flextune.spectral.update import block_proximal, update_gradients, update_penalty


class _Group(NamedTuple):
    members: list[int]
    a: Tensor  # (batch, rank, in)
    b: Tensor  # (batch, rank, out)
    phi_in: Tensor
    phi_out: Tensor
    factor: float  # of the penalty at scale 1: scale^2, the norm, the reduction


class UpdateSet:
    """LoRA pairs of matrices, as ``factors.FactorSet`` is of vectors.

    Raises:
        ValueError: Nothing to penalise, something that is no pair of matrices, or a tensor that has no
            spectrum, by its name.
    """

    def __init__(self, items: Sequence[LoraPair | Tensor], form: PenaltyForm) -> None:
        self._form = form
        self._pairs = list(_select(items))
        if not self._pairs:
            raise ValueError("no LoRA matrix found to penalise")

    @property
    def tensors(self) -> list[Tensor]:
        """A, B, A, B, ... of the pairs."""
        return [tensor for pair in self._pairs for _, tensor in pair.factors()]

    def value(self) -> Tensor:
        """The penalty, differentiable."""
        return total([g.factor * update_penalty(g.a, g.b, g.phi_in, g.phi_out) for g in self._groups()])

    def differentiate(self) -> tuple[Tensor, list[Tensor]]:
        """The penalty and its gradients."""
        gradients = self.tensors
        values = []
        for group in self._groups():
            value, grad_a, grad_b = update_gradients(group.a, group.b, group.phi_in, group.phi_out)
            values.append(group.factor * value)
            _scatter(group.factor * grad_a, group.factor * grad_b, group.members, gradients)
        return total(values), gradients

    def shrink(self, step: float) -> list[Tensor]:
        """Each A's proximal point given its B, then each B's given the new A."""
        results = self.tensors
        for members, a, b, phi_in, phi_out, factor in self._groups():
            # A frozen factor stays, so the other's step has to start from it as it is.
            if self._pairs[members[0]].a.requires_grad:
                a = block_proximal(a, b, phi_in, phi_out, step * factor)
            if self._pairs[members[0]].b.requires_grad:
                b = block_proximal(b, a, phi_out, phi_in, step * factor)
            _scatter(a, b, members, results)
        return results

    def _groups(self) -> Iterator[_Group]:
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for index, pair in enumerate(self._pairs):
            kinds = [(x.shape, x.device, x.dtype, x.requires_grad) for _, x in pair.factors()]
            groups[pair.scale, *kinds].append(index)
        for members in groups.values():
            pairs = [self._pairs[index] for index in members]
            a = computable(torch.stack([whole(pair.a).flatten(1) for pair in pairs]))
            b = computable(torch.stack([whole(pair.b).flatten(1).mT for pair in pairs]))
            dtype = torch.promote_types(a.dtype, b.dtype)
            a, b = a.to(dtype), b.to(dtype)
            phi_in, phi_out = (mask_on(x.shape[-1], self._form, x.device, dtype) for x in (a, b))
            factor = pairs[0].scale ** 2
            if self._form.norm == "backward":
                factor *= a.shape[-1] * b.shape[-1]
            if self._form.reduction == "mean":
                factor /= len(self._pairs)
            yield _Group(members, a, b, phi_in, phi_out, factor)


def _select(items: Sequence[LoraPair | Tensor]) -> Iterator[LoraPair]:
    for index, item in enumerate(items):
        if not isinstance(item, LoraPair):
            raise ValueError(f"kind 'update': item {index} is a tensor; hand in LoRA pairs")
        for factor, tensor in item.factors():
            require_real(f"{item.name} (lora_{factor})", tensor)
            if tensor.numel() != tensor.shape[0] * tensor.shape[1]:
                raise ValueError(
                    f"{item.name} (lora_{factor}): shape {tuple(tensor.shape)}, and the update of a"
                    " convolution is no matrix; use kind 'fourier'"
                )
        if item.experts > 1:
            raise ValueError(
                f"{item.name}: holds {item.experts} experts, whose update is no B A; use kind 'fourier'"
            )
        yield item


def _scatter(a: Tensor, b: Tensor, members: Sequence[int], results: list[Tensor]) -> None:
    for index, part_a, part_b in zip(members, a.unbind(), b.mT.unbind(), strict=True):
        results[2 * index] = part_a.reshape(results[2 * index].shape)
        results[2 * index + 1] = part_b.reshape(results[2 * index + 1].shape)
