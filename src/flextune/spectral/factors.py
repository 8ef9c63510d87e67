"""A set of matrices whose penalty is a quadratic form on vectors: one batch for each length of vector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

from flextune.spectral.form import PenaltyForm
from flextune.spectral.operators import Operator, operator
from flextune.spectral.pairs import LoraPair, require_real
from flextune.spectral.sharding import is_sharded, whole


class _Matrix(NamedTuple):
    tensor: Tensor
    turned: bool  # its vectors run along columns
    vectors: int  # how many it holds
    start: Tensor | None  # what is subtracted first


class FactorSet:
    """The targeted factors of LoRA pairs, and plain tensors (whatever the target; they have no ranks).

    Of a pair with a start, what counts is each factor's change since.

    Raises:
        ValueError: Nothing to penalise, or a tensor that has no spectrum, by its name.
    """

    def __init__(self, items: Sequence[LoraPair | Tensor], form: PenaltyForm) -> None:
        self._form = form
        self._matrices = list(_select(items, form))
        if not self._matrices:
            raise ValueError("no LoRA matrix found to penalise")
        self._weight = 1 / len(self._matrices) if form.reduction == "mean" else 1.0

    @property
    def tensors(self) -> list[Tensor]:
        """What the penalty acts on, in the order of the results below."""
        return [matrix.tensor for matrix in self._matrices]

    def value(self) -> Tensor:
        """The penalty, differentiable."""
        return self._total([quadratic.energy(vectors) for _, vectors, quadratic in self._groups()])

    def differentiate(self) -> tuple[Tensor, list[Tensor]]:
        """The penalty and its gradients."""
        gradients = self.tensors
        values = []
        for members, vectors, quadratic in self._groups():
            gradient = quadratic.gradient(vectors)
            # L is quadratic: half the product with its gradient, with no second look at the spectrum.
            values.append(torch.dot(gradient.flatten(), vectors.flatten()) / 2)
            if self._weight != 1:
                gradient *= self._weight
            self._scatter(gradient, members, gradients)
        return self._total(values), gradients

    def shrink(self, step: float) -> list[Tensor]:
        """The proximal point of each tensor."""
        results = self.tensors
        for members, vectors, quadratic in self._groups():
            shrunk = quadratic.shrink(vectors, step * self._weight)
            if (starts := self._starts(members)) is not None:
                shrunk = shrunk + starts.view_as(shrunk)
            self._scatter(shrunk, members, results)
        return results

    def _groups(self) -> Iterator[tuple[list[int], Tensor, Operator]]:
        """Indices of matrices whose vectors have one length, all their vectors, and the operator."""
        groups: dict[tuple[int, torch.device, torch.dtype, bool], list[int]] = defaultdict(list)
        for index, (tensor, _, count, start) in enumerate(self._matrices):
            groups[tensor.numel() // count, tensor.device, tensor.dtype, start is None].append(index)
        for (length, device, _, _), members in groups.items():
            joined = computable(self._gather(members))
            if (starts := self._starts(members)) is not None:
                joined = joined - starts
            vectors = joined.view(-1, length)
            yield members, vectors, operator(length, self._form, device, vectors.dtype)

    def _gather(self, members: Sequence[int]) -> Tensor:
        """The entries of a group's matrices, one matrix after the other."""
        if self._in_order(members):
            # One call for all: matrices are many and small, and every call costs as much as a copy.
            return _flatten_dense_tensors([self._matrices[index].tensor for index in members])
        return torch.cat([_entries(self._matrices[index]) for index in members])

    def _starts(self, members: Sequence[int]) -> Tensor | None:
        """The starts of a group's matrices, as ``_gather`` has their entries; None where they have none."""
        matrices = [self._matrices[index] for index in members]
        parts = [_entries(m._replace(tensor=m.start)) for m in matrices if m.start is not None]
        return computable(torch.cat(parts)) if parts else None

    def _scatter(self, vectors: Tensor, members: Sequence[int], results: list[Tensor]) -> None:
        """The inverse of ``_gather``, into ``results`` at the members' places."""
        if self._in_order(members):
            tensors = [self._matrices[index].tensor for index in members]
            parts = _unflatten_dense_tensors(vectors.reshape(-1), tensors)
            for index, part in zip(members, parts, strict=True):
                results[index] = part
            return
        for index, part in zip(members, self._split(vectors, members), strict=True):
            results[index] = part

    def _split(self, vectors: Tensor, members: Sequence[int]) -> Iterator[Tensor]:
        parts = vectors.split([self._matrices[index].vectors for index in members])
        for index, part in zip(members, parts, strict=True):
            tensor, turned, _, _ = self._matrices[index]
            if turned:
                part = part.reshape(tensor.shape[1:].numel(), tensor.shape[0]).mT
            yield part.reshape(tensor.shape)

    def _in_order(self, members: Sequence[int]) -> bool:
        """Whether the matrices hold their entries here, and in the order of the vectors."""
        return not any(
            self._matrices[index].turned or is_sharded(self._matrices[index].tensor) for index in members
        )

    def _total(self, values: Sequence[Tensor]) -> Tensor:
        return total(values) * self._weight


def computable(tensor: Tensor) -> Tensor:
    """Half precision as float32: such FFTs need CUDA and power-of-two sizes; layer widths are neither."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def total(values: Sequence[Tensor]) -> Tensor:
    """Sum of scalars that may lie on several devices, on the first one's."""
    return torch.stack([value.to(values[0].device) for value in values]).sum()


def _select(items: Sequence[LoraPair | Tensor], form: PenaltyForm) -> Iterator[_Matrix]:
    for index, item in enumerate(items):
        if isinstance(item, LoraPair):
            starts = item.start or (None, None)
            for (factor, tensor), start in zip(item.factors(), starts, strict=True):
                if form.target in ("both", factor):
                    require_real(f"{item.name} (lora_{factor})", tensor)
                    yield _laid_out(tensor, factor, form)._replace(start=start)
        else:
            require_real(f"tensor {index} of shape {tuple(item.shape)}", item)
            yield _laid_out(item, None, form)


def _laid_out(tensor: Tensor, factor: str | None, form: PenaltyForm) -> _Matrix:
    if form.flatten != "rank":
        return _Matrix(tensor, form.flatten == "column" and tensor.ndim > 1, 1, None)
    if factor is None:
        raise ValueError("flatten 'rank': a plain tensor has no ranks; hand in LoRA pairs")
    return _Matrix(tensor, factor == "B", tensor.shape[1 if factor == "B" else 0], None)


def _entries(matrix: _Matrix) -> Tensor:
    """All entries of one matrix in the order of its vectors, one vector after the other."""
    tensor = whole(matrix.tensor)
    return tensor.flatten(1).mT.reshape(-1) if matrix.turned else tensor.reshape(-1)
