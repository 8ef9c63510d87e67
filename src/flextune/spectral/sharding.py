"""Sharded parameters (DTensor, as FSDP2 has them): whole ones to compute with, shards to write to.

LoRA matrices are small, so every process gathers the whole matrix, computes the same numbers, and keeps
its own part. That is exact, and it costs one all-gather per matrix and use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def whole(tensor: Any) -> Tensor:
    """The unsharded tensor, differentiable; a plain tensor as it is. A collective call."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor


def add_to_gradients(parameters: Sequence[Tensor], gradients: Sequence[Tensor], scale: float) -> None:
    """Add ``scale * gradient`` to each parameter's ``.grad``, in its dtype; frozen ones are left out."""
    targets, parts = [], []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if not parameter.requires_grad:
            continue
        part = _like(gradient, parameter)
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        if is_sharded(parameter):
            parameter.grad.add_(part, alpha=scale)
        else:
            targets.append(parameter.grad)
            parts.append(part)
    if targets:
        # One launch for many matrices on a GPU, where each is too small to fill it.
        torch._foreach_add_(targets, parts, alpha=scale)


def assign(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Write each value into its parameter, in its dtype; frozen ones are left out."""
    targets, parts = [], []
    for parameter, value in zip(parameters, values, strict=True):
        if not parameter.requires_grad:
            continue
        part = _like(value, parameter)
        if is_sharded(parameter):
            parameter.copy_(part)
        else:
            targets.append(parameter)
            parts.append(part)
    if targets:
        torch._foreach_copy_(targets, parts)


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process holds only a part of it."""
    # The common answer first; and a DTensor needs a process group, without which nobody pays the import.
    if type(tensor) in (Tensor, nn.Parameter):
        return False
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return False
    from torch.distributed.tensor import DTensor

    return isinstance(tensor, DTensor)


def _like(value: Tensor, parameter: Any) -> Tensor:
    """The value in the parameter's sharding, cut locally: every process already has all of it."""
    if not is_sharded(parameter):
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(
        value.contiguous(), parameter.device_mesh, parameter.placements, src_data_rank=None
    )
