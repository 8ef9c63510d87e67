"""A set of LoRA pairs whose penalty is on the spectra of their updates: one batch per shape and scale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from flextune.spectral.factors import computable, total
from flextune.spectral.form import PenaltyForm
from flextune.spectral.operators import mask_on
from flextune.spectral.pairs import LoraPair, require_real
from flextune.spectral.sharding import whole
from flextune.spectral.update import block_proximal, update_gradients, update_penalty

#: Rows of A, shape ``(batch, rank, in)``, and of B', shape ``(batch, rank, out)``.
Rows = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class _Term:
    """One adapter's part ``scale * B A`` of a module's update, for a batch of modules.

    With a start the part is ``scale * (B A - B0 A0) = scale * ((B - B0) A + B0 (A - A0))``. The second form
    has no difference of large products.

    Attributes:
        a: Shape ``(batch, rank, in)``.
        b: Shape ``(batch, rank, out)``.
        scale: Of the pairs.
        start: a and b at the start, or None.
        places: Of the pairs in the set.
        trains: Whether a trains, and whether b does.
    """

    a: Tensor
    b: Tensor
    scale: float
    start: Rows | None
    places: list[int]
    trains: tuple[bool, bool]

    def rows(self) -> list[Rows]:
        """What the part is the sum of products of."""
        if self.start is None:
            return [(self.a, self.scale * self.b)]
        a0, b0 = self.start
        return [(self.a, self.scale * (self.b - b0)), (self.a - a0, self.scale * b0)]

    def turned(self) -> _Term:
        """The transposed update's: a and b have each other's places."""
        start = None if self.start is None else self.start[::-1]
        return replace(self, a=self.b, b=self.a, start=start, trains=self.trains[::-1])


class _Group(NamedTuple):
    terms: list[_Term]  # of one module: its adapters
    phi_in: Tensor
    phi_out: Tensor
    factor: float  # the norm, the reduction

    def rows(self) -> Rows:
        """All terms' rows, one after the other."""
        rows = [each for term in self.terms for each in term.rows()]
        return torch.cat([a for a, _ in rows], dim=1), torch.cat([b for _, b in rows], dim=1)


class UpdateSet:
    """LoRA pairs of matrices, as ``factors.FactorSet`` is of vectors.

    Pairs of one module (several adapters that are active at once) add up to one update.

    Raises:
        ValueError: Nothing to penalise, something that is no pair of matrices, or a tensor that has no
            spectrum, by its name.
    """

    def __init__(self, items: Sequence[LoraPair | Tensor], form: PenaltyForm) -> None:
        self._form = form
        self._pairs = list(_select(items))
        if not self._pairs:
            raise ValueError("no LoRA matrix found to penalise")
        self._modules = _by_module(self._pairs)

    @property
    def tensors(self) -> list[Tensor]:
        """A, B, A, B, ... of the pairs."""
        return [tensor for pair in self._pairs for _, tensor in pair.factors()]

    def value(self) -> Tensor:
        """The penalty, differentiable."""
        return total([g.factor * update_penalty(*g.rows(), g.phi_in, g.phi_out) for g in self._groups()])

    def differentiate(self) -> tuple[Tensor, list[Tensor]]:
        """The penalty and its gradients."""
        gradients = self.tensors
        values = []
        for group in self._groups():
            value, grad_a, grad_b = update_gradients(*group.rows(), group.phi_in, group.phi_out)
            values.append(group.factor * value)
            place = 0
            for term in group.terms:
                rank, blocks = term.a.shape[1], len(term.rows())
                parts = [slice(place + block * rank, place + (block + 1) * rank) for block in range(blocks)]
                # A stands in both products of a term with a start, B in the first alone.
                of_a = torch.stack([grad_a[:, part] for part in parts]).sum(0)
                of_b = term.scale * grad_b[:, parts[0]]
                _scatter(group.factor * of_a, group.factor * of_b, term.places, gradients)
                place += blocks * rank
        return total(values), gradients

    def shrink(self, step: float) -> list[Tensor]:
        """Each A's proximal point given its B, then each B's given the new A."""
        results = self.tensors
        for group in self._groups():
            terms = _shrunk(group.terms, group.phi_in, group.phi_out, step * group.factor)
            turned = [term.turned() for term in terms]
            turned = _shrunk(turned, group.phi_out, group.phi_in, step * group.factor)
            for term in turned:
                _scatter(term.b, term.a, term.places, results)
        return results

    def _groups(self) -> Iterator[_Group]:
        groups: dict[tuple[object, ...], list[list[int]]] = defaultdict(list)
        for module in self._modules:
            groups[tuple(map(self._alike, module))].append(module)
        for modules in groups.values():
            # Modules of a group have their first adapters alike, their second ones, and so on.
            terms = [self._term(list(places)) for places in zip(*modules, strict=True)]
            a, b = terms[0].a, terms[0].b
            phi_in, phi_out = (mask_on(x.shape[-1], self._form, x.device, x.dtype) for x in (a, b))
            factor = 1.0
            if self._form.norm == "backward":
                factor *= a.shape[-1] * b.shape[-1]
            if self._form.reduction == "mean":
                factor /= len(self._modules)
            yield _Group(terms, phi_in, phi_out, factor)

    def _alike(self, place: int) -> tuple[object, ...]:
        pair = self._pairs[place]
        kinds = [(x.shape, x.device, x.dtype, x.requires_grad) for _, x in pair.factors()]
        return (pair.scale, pair.start is None, *kinds)

    def _term(self, places: list[int]) -> _Term:
        pairs = [self._pairs[place] for place in places]
        a, b = _stacked([(pair.a, pair.b) for pair in pairs])
        starts = [pair.start for pair in pairs if pair.start is not None]
        return _Term(
            a=a,
            b=b,
            scale=pairs[0].scale,
            start=_stacked(starts) if starts else None,
            places=places,
            trains=(pairs[0].a.requires_grad, pairs[0].b.requires_grad),
        )


def _shrunk(terms: Sequence[_Term], phi: Tensor, phi_held: Tensor, step: float) -> list[_Term]:
    """The terms with every a that trains at its proximal point, all b held.

    Of a term with a start, ``A - A0`` moves: its part of the update is ``B (A - A0) + (B - B0) A0``.
    """
    # A frozen factor stays, so the other's step has to start from it as it is.
    free = [term for term in terms if term.trains[0]]
    if not free:
        return list(terms)
    fixed = [rows for term in terms if not term.trains[0] for rows in term.rows()]
    for term in free:
        if term.start is not None:
            fixed.append((term.start[0], term.scale * (term.b - term.start[1])))
    moving = torch.cat([term.a if term.start is None else term.a - term.start[0] for term in free], dim=1)
    held = torch.cat([term.scale * term.b for term in free], dim=1)
    beside = (torch.cat([x for x, _ in fixed], 1), torch.cat([y for _, y in fixed], 1)) if fixed else None
    moved = block_proximal(moving, held, phi, phi_held, step, beside)
    parts = iter(moved.split([term.a.shape[1] for term in free], dim=1))
    return [_at(term, next(parts)) if term.trains[0] else term for term in terms]


def _at(term: _Term, moved: Tensor) -> _Term:
    return replace(term, a=moved if term.start is None else term.start[0] + moved)


def _stacked(pairs: Sequence[Rows]) -> Rows:
    """A batch of a and transposed b, in one dtype."""
    a = computable(torch.stack([whole(a).flatten(1) for a, _ in pairs]))
    b = computable(torch.stack([whole(b).flatten(1).mT for _, b in pairs]))
    dtype = torch.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(dtype)


def _by_module(pairs: Sequence[LoraPair]) -> list[list[int]]:
    """Places of the pairs that act on one module, in the order of the first ones.

    Raises:
        ValueError: Pairs of one module with updates of two shapes.
    """
    modules: dict[object, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        modules[place if pair.module is None else pair.module].append(place)
    for places in modules.values():
        shapes = {(pairs[place].b.shape[0], pairs[place].a.shape[1:].numel()) for place in places}
        if len(shapes) > 1:
            raise ValueError(
                f"{pairs[places[0]].name}: its adapters' updates have the shapes {sorted(shapes)}"
            )
    return list(modules.values())


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
