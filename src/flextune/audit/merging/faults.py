"""What is wrong with merged weights, by name: what each parameter shows, and what that means together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flextune.audit.merging.weights import Change, WeightAudit, exact_update
from flextune.models.four_bit import KINDS, FourBit, through_four_bits
from flextune.models.merging.adapted import AdaptedFiles
from flextune.models.merging.parameters import ModelFiles

if TYPE_CHECKING:
    from torch import Tensor

Name = Literal[
    "alpha-twice",
    "wrong-scale",
    "not-merged",
    "transposed-factor",
    "another-base",
    "dequantised-base",
    "another-update",
    "lost-in-rounding",
    "missing-parameter",
    "not-finite",
    "tokenizer",
    "chat-template",
    "generation-config",
]

#: How far a scale may lie from that of the right merge, and how much larger a rest may be.
SCALE_TOLERANCE, REST_FACTOR, REST_TOLERANCE = 0.1, 3.0, 0.02
#: The same of a change that has another size than the update, as a part of that size.
SCALED_REST = 0.05
#: Below this part of the update in the weights, rounding is said to have lost it.
LOST_BELOW = 0.9
#: A change is along a direction if the cosine is at least this.
ALONG = 0.9


@dataclass(frozen=True)
class Fault:
    """Something wrong with a merged model.

    Attributes:
        name: Which of the known faults.
        words: What was found, and what to do.
        where: Parameters or files.
        grave: Whether the model is another one; else it may have drifted.
    """

    name: Name
    words: str
    where: tuple[str, ...] = ()
    grave: bool = True


def weight_faults(audit: WeightAudit, model: AdaptedFiles, merged: ModelFiles) -> list[Fault]:
    """Every fault that a merged model's weights show.

    Args:
        audit: Their comparison.
        model: Base model and adapter.
        merged: The merged model's files, for a closer look where a change is not along the update.
    """
    faults = [
        *_listed("missing-parameter", audit.missing, "the merged model lacks it; merge again"),
        *_listed("not-finite", audit.not_finite, "holds NaN or infinity; merge to bfloat16 or float32"),
    ]
    other = [change for change in audit.changes if not _is_right(change)]
    unmerged = [change for change in other if _is_unmerged(change)]
    scaled = [change for change in other if change not in unmerged and _is_scaled(change)]
    unexplained = [change for change in other if change not in unmerged and change not in scaled]
    faults += _unmerged(unmerged, audit)
    faults += _scaled(scaled, model)
    faults += _unexplained(unexplained, audit, model, merged)
    return faults + _lost(audit)


def _is_right(change: Change) -> bool:
    """Whether a change is that of the right merge, up to rounding."""
    return abs(change.scale - change.right_scale) <= SCALE_TOLERANCE and change.rest <= _largest_rest(change)


def _is_unmerged(change: Change) -> bool:
    """Whether the weights are the base model's, where rounding alone would not have left them so."""
    still = abs(change.scale) <= SCALE_TOLERANCE and change.rest <= _largest_rest(change)
    return still and change.right_scale > 0.5


def _largest_rest(change: Change) -> float:
    """What rounding, once or twice, explains."""
    return REST_FACTOR * change.right_rest + REST_TOLERANCE


def _is_scaled(change: Change) -> bool:
    """Whether a change is along the update, with another size and no more of a rest than rounding leaves."""
    other = abs(change.scale - change.right_scale) > SCALE_TOLERANCE
    return other and change.rest <= _largest_rest(change) + SCALED_REST * abs(change.scale)


def _unmerged(changes: Sequence[Change], audit: WeightAudit) -> list[Fault]:
    if not changes:
        return []
    layers = sorted({change.layer for change in changes if change.layer is not None})
    kinds = sorted({change.type for change in changes})
    whole = len(changes) == len(audit.changes)
    what = "nothing of the adapter" if whole else f"{len(changes)} of {len(audit.changes)} adapted parameters"
    verb = "is in the weights" if whole else "are what they were"
    places = f" (layers {_ranges(layers)}; {', '.join(kinds)})" if layers else f" ({', '.join(kinds)})"
    return [Fault("not-merged", f"{what} {verb}{places}; merge again", tuple(c.name for c in changes))]


def _scaled(changes: Sequence[Change], model: AdaptedFiles) -> list[Fault]:
    faults = []
    twice = [change for change in changes if abs(change.scale - 2) <= 0.2]
    if twice:
        words = (
            f"the update is in {_count(twice)} {_mean_scale(twice):.2f} times: alpha was applied twice, or"
            " the adapter was merged twice; merge again onto the base model itself"
        )
        faults.append(Fault("alpha-twice", words, tuple(change.name for change in twice)))
    rest = [change for change in changes if change not in twice]
    if rest:
        scale = _mean_scale(rest)
        words = f"the update is in {_count(rest)} {scale:.3g} times{_reading(scale, rest[0], model)}"
        faults.append(Fault("wrong-scale", words, tuple(change.name for change in rest)))
    return faults


def _reading(scale: float, change: Change, model: AdaptedFiles) -> str:
    """What a wrong scale comes from, where that can be told."""
    layer = model.layers.get(change.name)
    factors = layer.factors() if layer else None
    if scale < 0:
        return ": it was subtracted"
    if factors is None:
        return ""
    rank = factors.a.shape[0]
    readings = {
        1 / factors.scale: "the factor alpha / rank was left out",
        math.sqrt(rank): "alpha / sqrt(rank) was used for alpha / rank",
        1 / math.sqrt(rank): "alpha / rank was used for alpha / sqrt(rank)",
    }
    return next((f": {words}" for value, words in readings.items() if abs(scale / value - 1) < 0.05), "")


def _unexplained(
    changes: Sequence[Change], audit: WeightAudit, model: AdaptedFiles, merged: ModelFiles
) -> list[Fault]:
    """Changes that are not along the update: another base, a factor the wrong way round, or neither."""
    if not changes and not audit.strays:
        return []
    elsewhere = _other_precision(changes, audit, model, merged)
    if elsewhere:
        where = tuple(change.name for change in changes)
        return [Fault("dequantised-base", elsewhere, where)]
    transposed = [change for change in changes if _is_transposed(change.name, model, merged)]
    rest = [change for change in changes if change not in transposed]
    faults = []
    if transposed:
        words = f"a factor was the wrong way round in {_count(transposed)}; merge again"
        faults.append(Fault("transposed-factor", words, tuple(change.name for change in transposed)))
    if audit.strays:
        largest = max(audit.strays, key=lambda stray: stray.difference)
        words = (
            f"{len(audit.strays)} of {audit.untouched} parameters that the adapter leaves alone are not"
            f" those of {model.name} ({largest.name} differs by {100 * largest.difference:.2g} %): it was"
            " merged onto another base model, or another revision of it"
        )
        faults.append(Fault("another-base", words, tuple(stray.name for stray in audit.strays)))
    elif rest:
        words = f"{_count(rest)} changed in a way that is not the adapter's update; merge again"
        faults.append(Fault("another-update", words, tuple(change.name for change in rest)))
    return faults


def _other_precision(
    changes: Sequence[Change], audit: WeightAudit, model: AdaptedFiles, merged: ModelFiles
) -> str:
    """What to say where the base is right, and one of both went through four bits; empty where not."""
    names = [*(change.name for change in changes), *(stray.name for stray in audit.strays)][:3]
    if model.files.checkpoint.four_bit:
        return ""
    if model.onto != "weights":
        kind = model.onto.upper()
        if any(_is_onto(name, model.files.read(name).double(), model, merged) for name in names):
            return (
                f"the update was added to the weights of {model.name} themselves, not to those through {kind}"
                " that the adapter was trained on; merge with --onto"
                f" {model.onto}, or audit without it"
            )
        return ""
    for four in KINDS:
        for name in names:
            if any(_is_onto(name, base, model, merged) for base in _through(model.base(name), four)):
                return (
                    f"the update was added to weights that went through {four.upper()}, not to those of"
                    f" {model.name}; audit with --onto {four}, or merge onto the weights that the adapter was"
                    " trained on"
                )
    return ""


def _through(weight: Tensor, kind: FourBit) -> Iterable[Tensor]:
    """A weight through four bits, blocks along one axis and along the other."""
    if weight.ndim == 2:
        yield through_four_bits(weight, kind).double()
        yield through_four_bits(weight.T, kind).T.double()


def _is_onto(name: str, base: Tensor, model: AdaptedFiles, merged: ModelFiles) -> bool:
    """Whether merged weights are the update added to certain base weights, up to rounding."""
    before, update = exact_update(model, name)
    found, wanted = merged.read(name), base + update
    rounding = (wanted.to(found.dtype).double() - wanted).norm()
    return bool((found.double() - wanted).norm() <= 2 * rounding + 0.05 * (base - before).norm())


def _is_transposed(name: str, model: AdaptedFiles, merged: ModelFiles) -> bool:
    """Whether a change is along the update with a factor, or with all of it, the wrong way round."""
    layer = model.layers.get(name)
    factors = layer.factors() if layer else None
    base = model.base(name).double()
    change = merged.read(name).double() - base
    return factors is not None and any(
        candidate.shape == change.shape and abs(_cosine(candidate, change)) >= ALONG
        for candidate in _turned(factors.a.double(), factors.b.double())
    )


def _turned(a: Tensor, b: Tensor) -> Iterable[Tensor]:
    """``B A`` with a factor whose entries were read in the other order, or transposed as a whole."""
    a_read, b_read = a.T.reshape(a.shape), b.T.reshape(b.shape)
    for left, right in ((b, a_read), (b_read, a), (b_read, a_read), (b, a)):
        yield (left @ right).T
        if right is not a or left is not b:
            yield left @ right


def _cosine(first: Tensor, second: Tensor) -> float:
    size = float(first.norm() * second.norm())
    return float((first * second).sum()) / size if size else 0.0


def _lost(audit: WeightAudit) -> list[Fault]:
    """Updates of which the right merge loses a part, for they are small beside the steps of the type."""
    lost = [change for change in audit.changes if _is_right(change) and change.right_scale < LOST_BELOW]
    if not lost:
        return []
    energy = sum(change.energy for change in lost)
    kept = sum(change.right_scale * change.energy for change in lost) / energy
    unmoved = sum(change.unmoved * change.size for change in lost) / sum(change.size for change in lost)
    words = (
        f"rounding to {lost[0].dtype} keeps {100 * kept:.0f} % of the update in {_count(lost)}"
        f" ({100 * unmoved:.0f} % of the weights did not move); merge to float32, round stochastically, or"
        " serve the adapter unmerged"
    )
    return [Fault("lost-in-rounding", words, tuple(change.name for change in lost), grave=audit.scale < 0.5)]


def _listed(name: Name, where: Sequence[str], words: str) -> list[Fault]:
    more = f" and {len(where) - 1} more" if len(where) > 1 else ""
    return [Fault(name, f"{where[0]}{more}: {words}", tuple(where))] if where else []


def _count(changes: Sequence[Change]) -> str:
    first = changes[0].name
    return first if len(changes) == 1 else f"{len(changes)} parameters ({first}, ...)"


def _mean_scale(changes: Sequence[Change]) -> float:
    return sum(change.scale for change in changes) / len(changes)


def _ranges(numbers: Sequence[int]) -> str:
    """``0-2, 5``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
