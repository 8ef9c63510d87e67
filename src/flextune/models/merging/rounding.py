"""The one rounding at the end of a merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flextune.errors import FlextuneError
from flextune.files.names import number_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Rounding:
    """How changed weights are rounded to the type in which they are kept.

    Attributes:
        how: To the nearest number, or at random to one of both neighbours so that the mean is right
            (stochastic rounding).
        seed: Of the draws; each tensor has its own, from its name.
    """

    how: Literal["nearest", "stochastic"] = "nearest"
    seed: int = 0

    def of(self, tensor: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        """A changed tensor in another type.

        Raises:
            FlextuneError: A value is too large for the type.
        """
        if self.how == "nearest":
            return self.nearest(tensor, dtype, name)
        return _checked(stochastic(tensor, dtype, number_of(name, self.seed)), tensor, name)

    def nearest(self, tensor: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        """A tensor in another type, rounded to the nearest.

        Raises:
            FlextuneError: A value is too large for the type.
        """
        return tensor if tensor.dtype == dtype else _checked(tensor.to(dtype), tensor, name)


def stochastic(tensor: Tensor, dtype: torch.dtype, seed: int) -> Tensor:
    """Each number rounded to one of its two neighbours, at random, so that the expectation is exact.

    With neighbours ``low <= x <= high`` the upper one is taken with probability
    ``(x - low) / (high - low)``.

    Args:
        tensor: float32 or float64.
        dtype: A narrower floating type.
        seed: Of the draws.
    """
    import torch

    generator = torch.Generator("cpu").manual_seed(seed)
    near = tensor.to(dtype)
    rest = tensor - near.to(tensor.dtype)
    # torch.nextafter does not know every narrow type: the next number is one bit further.
    beyond = _next(near, up=rest > 0).to(tensor.dtype)
    gap = (beyond - near.to(tensor.dtype)).abs()
    chance = torch.where(gap > 0, rest.abs() / gap, torch.zeros_like(rest))
    draws = torch.rand(tensor.shape, generator=generator, dtype=torch.float32).to(tensor.dtype)
    moved = (draws < chance) & (rest != 0) & torch.isfinite(beyond)
    return torch.where(moved, beyond.to(dtype), near)


def _next(tensor: Tensor, up: Tensor) -> Tensor:
    """The neighbours of numbers, above or below."""
    import torch

    kind = {2: torch.int16, 4: torch.int32}[tensor.dtype.itemsize]
    zero = tensor == 0
    # From zero, either way leads to the smallest number with the sign of that way.
    bits = torch.where(zero, torch.zeros_like(tensor), tensor).view(kind)
    away = (tensor > 0) == up
    stepped = torch.where(away, bits + 1, bits - 1).view(tensor.dtype)
    smallest = torch.ones((), dtype=kind).view(tensor.dtype)
    return torch.where(zero, torch.where(up, smallest, -smallest), stepped)


def _checked(rounded: Tensor, tensor: Tensor, name: str) -> Tensor:
    import torch

    if torch.isinf(rounded).any():
        largest = float(tensor.abs().max())
        kind = str(rounded.dtype).removeprefix("torch.")
        raise FlextuneError(
            f"{name} holds {largest:g}, too large for {kind}; choose --dtype bfloat16 or float32"
        )
    return rounded
