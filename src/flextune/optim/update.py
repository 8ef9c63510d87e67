"""Sophia's update as functions of tensors: one by one, and many in each launch."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

# On a CPU what the steps of one formula hand on should stay in the cache: 256 KiB for each list.
_CPU_ENTRIES = 2**16


@dataclass
class Bundle:
    """Tensors of one device and dtype that take one step together; the lists run side by side.

    Momentum moves for every gradient. Parameters are listed apart, because some may wait for curvature.

    Attributes:
        momenta: EMA of each gradient, float32 or wider.
        gradients: In any dtype.
        parameters: The ones to move.
        moving: Their momenta.
        hessians: Their curvatures, not corrected for bias; empty where the curvature is a constant.
        scales: What each curvature is multiplied with.
        floors: What each denominator is at least, or is where there are no curvatures.
        entries: Of all momenta.
    """

    momenta: list[Tensor] = field(default_factory=list)
    gradients: list[Tensor] = field(default_factory=list)
    parameters: list[Tensor] = field(default_factory=list)
    moving: list[Tensor] = field(default_factory=list)
    hessians: list[Tensor] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    entries: int = 0


class Bundles:
    """Sorts tensors into bundles, small ones on a CPU and one for each dtype elsewhere."""

    def __init__(self) -> None:
        self.all: list[Bundle] = []
        self._open: dict[tuple[torch.device, torch.dtype], Bundle] = {}

    def place(self, tensor: Tensor) -> Bundle:
        """The bundle that a tensor belongs to, counted as being in it."""
        key, size = (tensor.device, tensor.dtype), tensor.numel()
        bundle = self._open.get(key)
        full = bundle is not None and tensor.device.type == "cpu" and bundle.entries + size > _CPU_ENTRIES
        if bundle is None or full:
            bundle = self._open[key] = Bundle()
            self.all.append(bundle)
        bundle.entries += size
        return bundle


def clipped_ratio(momentum: Tensor, hessian: Tensor | None, scale: float, floor: float) -> Tensor:
    """``clip(m / max(scale h, floor), 1)``; without h, ``clip(m / floor, 1)``."""
    denominator = floor if hessian is None else (hessian * scale).clamp_min_(floor)
    return (momentum / denominator).clamp_(-1.0, 1.0)


def step_single(bundle: Bundle, *, lr: float, beta1: float, decay: float) -> None:
    """One step, tensor by tensor: the reference.

    ``m <- beta1 m + (1 - beta1) g``, then ``w <- w - lr (clip(m / max(scale h, floor), 1) + decay w)``.
    """
    for momentum, gradient in zip(bundle.momenta, bundle.gradients, strict=True):
        momentum.lerp_(gradient.to(momentum.dtype), 1.0 - beta1)
    hessians: list[Tensor | None] = [*bundle.hessians] or [None] * len(bundle.parameters)
    columns = (bundle.parameters, bundle.moving, hessians, bundle.scales, bundle.floors)
    for parameter, momentum, hessian, scale, floor in zip(*columns, strict=True):
        direction = clipped_ratio(momentum, hessian, scale, floor)
        if decay:
            direction.add_(parameter, alpha=decay)
        parameter.add_(direction, alpha=-lr)


def step_foreach(bundle: Bundle, *, lr: float, beta1: float, decay: float) -> None:
    """The same, with one launch for all tensors where the device can: LoRA matrices are small."""
    if bundle.momenta:
        wide = bundle.momenta[0].dtype
        gradients = [gradient.to(wide) for gradient in bundle.gradients]
        torch._foreach_lerp_(bundle.momenta, gradients, 1.0 - beta1)
    if not bundle.parameters:
        return
    if bundle.hessians:
        denominators = torch._foreach_mul(bundle.hessians, bundle.scales)
        torch._foreach_clamp_min_(denominators, bundle.floors)
        ratios = torch._foreach_div(bundle.moving, denominators)
    else:
        ratios = torch._foreach_div(bundle.moving, bundle.floors)
    torch._foreach_clamp_min_(ratios, -1.0)
    torch._foreach_clamp_max_(ratios, 1.0)
    if decay:
        # Added in the wide dtype: half precision would round 1 - lr decay to 1.
        torch._foreach_add_(ratios, bundle.parameters, alpha=decay)
    torch._foreach_add_(bundle.parameters, ratios, alpha=-lr)
