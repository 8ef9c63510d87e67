"""A spectrum beside its nulls: one module's, or the mean over several.

"Unknown" is nan in tensors and None in rows: a zero matrix has no shares and no rank.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flextune.spectral.spectrum import binned

#: Quantiles of the nulls' bands; with fewer than 19 draws the band is their whole range, and narrower.
LOW, HIGH = 0.05, 0.95
NUMBERS = ("high_share", "entropy", "stable_rank", "effective_rank")
NULLS = ("permuted", "noise")


@dataclass(frozen=True, eq=False)
class Draws:
    """What a null gave.

    Attributes:
        power: Shape ``(draws, bins)``.
        numbers: Shape ``(draws, 4)``, in the order of ``NUMBERS``; nan where undefined.
    """

    power: Tensor
    numbers: Tensor

    def band(self) -> dict[str, Any]:
        """``mean``, ``low`` and ``high`` of the power and of each number; None where undefined."""
        bands = {name: _band(column) for name, column in zip(NUMBERS, self.numbers.unbind(1), strict=True)}
        unknown = {name for name, band in bands.items() if math.isnan(band["mean"])}
        known = {name: None if name in unknown else band for name, band in bands.items()}
        return {"power": _band(self.power), **known}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One spectrum and its numbers beside the nulls.

    Attributes:
        name: Of the module.
        factor: ``A``, ``B`` or ``update``.
        axis: Along which frequencies run: ``row`` (flattened row by row), ``input`` or ``output``.
        level: Mean square of the matrix's entries: the power of noise of its norm.
        power: Mean power by frequency, shape ``(bins,)``.
        numbers: Shape ``(4,)``, in the order of ``NUMBERS``; nan where undefined.
        nulls: By name.
    """

    name: str
    factor: str
    axis: str
    level: float
    power: Tensor
    numbers: Tensor
    nulls: Mapping[str, Draws]

    def row(self) -> dict[str, Any]:
        """As JSON has it; None where undefined."""
        numbers = [None if math.isnan(value) else value for value in self.numbers.tolist()]
        return {
            "name": self.name,
            "factor": self.factor,
            "axis": self.axis,
            "power": self.power.tolist(),
            **dict(zip(NUMBERS, numbers, strict=True)),
            **{null: draws.band() for null, draws in self.nulls.items()},
        }


def average(members: Sequence[Comparison], name: str) -> Comparison:
    """The mean over several modules, beside the nulls' means over as many: draw by draw.

    So the band is that of the mean, narrower than a single module's. Powers are taken relative to each
    matrix's level first, so that large matrices do not drown small ones; matrices of zeros are left out.

    Args:
        members: Of one factor and axis, with as many draws each.
        name: What they are called together.
    """
    first = members[0]
    held = [member for member in members if member.level > 0] or members
    bins = min(len(member.power) for member in held)

    def relative(member: Comparison, power: Tensor) -> Tensor:
        return binned(power, bins) / (member.level or 1.0)

    nulls = {
        null: Draws(
            torch.stack([relative(member, member.nulls[null].power) for member in held]).mean(0),
            torch.stack([member.nulls[null].numbers for member in held]).nanmean(0),
        )
        for null in first.nulls
    }
    return Comparison(
        name=name,
        factor=first.factor,
        axis=first.axis,
        level=1.0 if held[0].level else 0.0,
        power=torch.stack([relative(member, member.power) for member in held]).mean(0),
        numbers=torch.stack([member.numbers for member in held]).nanmean(0),
        nulls=nulls,
    )


def outside(value: float | None, band: Mapping[str, float] | None) -> bool | None:
    """Whether a number lies outside a null's band; None where either is undefined."""
    if value is None or band is None:
        return None
    # A permuted update keeps its ranks, up to rounding.
    slack = 1e-9 * abs(value)
    return not band["low"] - slack <= value <= band["high"] + slack


def _band(drawn: Tensor) -> dict[str, Any]:
    """Mean and quantiles over the first dimension; nan if a draw is."""
    low, high = (torch.quantile(drawn, _place(q, len(drawn)), dim=0).tolist() for q in (LOW, HIGH))
    return {"mean": drawn.mean(0).tolist(), "low": low, "high": high}


def _place(quantile: float, count: int) -> float:
    """Where torch has the quantile that a further draw stays below with that probability.

    That is place ``q (count + 1)`` in the order of the draws. torch counts ``q (count - 1)`` places from the
    first one on, so that of 20 draws a band of 90 % would leave out 19 % of what it should hold.
    """
    place = (quantile * (count + 1) - 1) / max(count - 1, 1)
    return min(max(place, 0.0), 1.0)
