"""Merged weights beside what they should be: base model plus update, computed in float64.

For a parameter with base weights ``W``, exact update ``U`` and merged weights ``M``, the change ``D = M - W``
is taken apart into a part along the update and a rest: ``D = scale * U + rest``, with
``scale = <D, U> / <U, U>``. A right merge has scale 1 and a rest of rounding errors. The same numbers are
computed of the right merge, rounded to the type that ``M`` has, so that what rounding must do is told from
what it need not have done.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flextune.lora_names import module_places
from flextune.models.merging.adapted import AdaptedFiles
from flextune.models.merging.parameters import ModelFiles
from flextune.progress import Reporter

if TYPE_CHECKING:
    from torch import Tensor

#: Entries that are compared at a time.
_BLOCK = 2**22


@dataclass(frozen=True)
class Change:
    """What merging did to one parameter that the adapter changes.

    Attributes:
        name: The parameter.
        layer: Its layer; None outside of layers.
        type: Its module's type.
        dtype: Of the merged weights.
        size: Number of weights.
        update: ``|U| / |W|``.
        error: ``|M - (W + U)| / |U|``: the relative error of the update.
        unmoved: Share of the weights with an update that are what they were, ``M = W``.
        scale: ``<D, U> / <U, U>``.
        rest: ``|D - scale U| / |U|``.
        right_error: The error of the right merge, rounded to the same type.
        right_scale: Its scale.
        right_rest: Its rest.
        energy: ``|U|^2``.
    """

    name: str
    layer: int | None
    type: str
    dtype: str
    size: int
    update: float
    error: float
    unmoved: float
    scale: float
    rest: float
    right_error: float
    right_scale: float
    right_rest: float
    energy: float

    def as_row(self) -> dict[str, Any]:
        """One JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Stray:
    """A parameter that the adapter leaves alone, and that is another one in the merged model.

    Attributes:
        name: The parameter.
        difference: ``|M - W| / |W|``.
        rounding: The same of ``W`` itself, rounded to the type of ``M``.
    """

    name: str
    difference: float
    rounding: float


@dataclass(frozen=True)
class WeightAudit:
    """Every parameter of a merged model beside what it should be.

    Attributes:
        changes: Those that the adapter changes.
        strays: Those that it does not change and that differ by more than rounding.
        untouched: Number of parameters that the adapter does not change.
        missing: Parameters that the merged model lacks.
        not_finite: Parameters that hold NaN or infinity.
    """

    changes: tuple[Change, ...]
    strays: tuple[Stray, ...]
    untouched: int
    missing: tuple[str, ...]
    not_finite: tuple[str, ...]

    @property
    def scale(self) -> float:
        """How much of the whole update is in the weights: 1 where all of it is."""
        total = sum(change.energy for change in self.changes)
        return sum(change.scale * change.energy for change in self.changes) / total if total else 1.0

    @property
    def right_scale(self) -> float:
        """How much of it would be, had it been merged right."""
        total = sum(change.energy for change in self.changes)
        return sum(change.right_scale * change.energy for change in self.changes) / total if total else 1.0

    @property
    def error(self) -> float:
        """Relative error of the whole update."""
        total = sum(change.energy for change in self.changes)
        return (
            math.sqrt(sum(change.error**2 * change.energy for change in self.changes) / total)
            if total
            else 0.0
        )

    @property
    def unmoved(self) -> float:
        """Share of the weights with an update that did not move."""
        total = sum(change.size for change in self.changes)
        return sum(change.unmoved * change.size for change in self.changes) / total if total else 0.0


#: Of a model whose weights cannot be compared.
NOTHING = WeightAudit((), (), 0, (), ())


def audit_weights(model: AdaptedFiles, merged: ModelFiles, reporter: Reporter) -> WeightAudit:
    """Compare a merged model's files with base model and adapter.

    Args:
        model: Base model and adapter.
        merged: The merged model's files.
        reporter: Told of each parameter.

    Raises:
        FlextuneError: A file cannot be read, or a parameter has another shape than the base model's.
    """
    names = [
        name for name in model.skeleton.state_dict() if model.files.has(name) and not _is_copy(name, model)
    ]
    places = module_places({name.rpartition(".")[0] for name in names})
    changes, strays, missing, broken, untouched = [], [], [], [], 0
    with reporter.stage("audit of the weights", len(names)) as stage:
        for done, name in enumerate(names, start=1):
            if not merged.has(name):
                missing.append(name)
            elif not _is_finite(found := merged.read(name)):
                broken.append(name)
            elif model.changes(name):
                change = _change(name, model, found, places[name.rpartition(".")[0]])
                changes += [change] if change.energy else []
            else:
                untouched += 1
                strays += _strays(name, model.base(name), found)
            stage.update(done, len(names))
    return WeightAudit(tuple(changes), tuple(strays), untouched, tuple(missing), tuple(broken))


def _is_copy(name: str, model: AdaptedFiles) -> bool:
    """Whether a parameter is one that it is tied to, with and without the adapter."""
    owner = model.files.tied.get(name)
    return owner is not None and not model.changes(name) and not model.changes(owner)


def _is_finite(tensor: Tensor) -> bool:
    import torch

    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _change(name: str, model: AdaptedFiles, merged: Tensor, place: tuple[int | None, str]) -> Change:
    import torch

    exact = model.merged(name, torch.float64)
    sums = _sums(model.base(name), exact, merged)
    energy = sums["uu"]
    scale, right_scale = _over(sums["du"], energy), _over(sums["ru"], energy)
    return Change(
        name=name,
        layer=place[0],
        type=place[1],
        dtype=str(merged.dtype).removeprefix("torch."),
        size=merged.numel(),
        update=math.sqrt(_over(energy, sums["ww"])),
        error=math.sqrt(_over(sums["ee"], energy)),
        unmoved=_over(sums["unmoved"], sums["updated"]),
        scale=scale,
        rest=_rest(sums["dd"], energy, scale),
        right_error=math.sqrt(_over(sums["right"], energy)),
        right_scale=right_scale,
        right_rest=_rest(sums["rr"], energy, right_scale),
        energy=energy,
    )


def _rest(change: float, energy: float, scale: float) -> float:
    """``|D - scale U| / |U|`` from ``|D|^2`` and ``|U|^2``: both parts are at a right angle."""
    return math.sqrt(max(_over(change, energy) - scale**2, 0.0))


def _sums(base: Tensor, exact: Tensor, merged: Tensor) -> dict[str, float]:
    """Sums over all entries, in float64, a block at a time."""
    totals: dict[str, float] = {}
    for before, wanted, found in _blocks(base, exact, merged):
        w, m = before.double(), found.double()
        right = wanted.to(found.dtype).double()
        u, d = wanted - w, m - w
        parts = {
            "uu": u @ u,
            "ww": w @ w,
            "du": d @ u,
            "dd": d @ d,
            "ru": (right - w) @ u,
            "rr": (right - w) @ (right - w),
            "ee": (m - wanted) @ (m - wanted),
            "right": (right - wanted) @ (right - wanted),
            "updated": (u != 0).sum(),
            "unmoved": ((u != 0) & (m == w)).sum(),
        }
        for key, value in parts.items():
            totals[key] = totals.get(key, 0.0) + float(value)
    return totals


def _strays(name: str, base: Tensor, merged: Tensor) -> list[Stray]:
    import torch

    if base.dtype == merged.dtype and torch.equal(base, merged):
        return []
    difference = rounding = total = 0.0
    for before, found in _blocks(base, merged):
        w, m = before.double(), found.double()
        rounded = before.to(found.dtype).double()
        difference += float((m - w) @ (m - w))
        rounding += float((rounded - w) @ (rounded - w))
        total += float(w @ w)
    stray = Stray(name, math.sqrt(_over(difference, total)), math.sqrt(_over(rounding, total)))
    # A type that is narrower than the base model's rounds all weights, which is no other base.
    return [stray] if stray.difference > 2 * stray.rounding + 1e-7 else []


def _blocks(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    flat = [tensor.reshape(-1) for tensor in tensors]
    for start in range(0, flat[0].numel(), _BLOCK):
        yield tuple(tensor[start : start + _BLOCK] for tensor in flat)


def _over(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0


def exact_update(model: AdaptedFiles, name: str) -> tuple[Tensor, Tensor]:
    """A parameter's base weights and its update, in float64."""
    import torch

    base = model.base(name).double()
    return base, model.merged(name, torch.float64) - base
