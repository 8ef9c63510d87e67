"""Parameters by LoRA factor, and what a process holds of a sharded one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from flextune.lora_names import lora_factor

# Adds up a tensor over all processes, in place; ``torch.distributed.all_reduce`` is one.
Reduce = Callable[[Tensor], object]

Parameters = Iterable[Tensor] | Iterable[Mapping[str, Any]]


def factor_groups(model: nn.Module) -> list[dict[str, Any]]:
    """A model's trainable parameters as groups for an optimizer, by PEFT's names.

    Returns:
        ``{"params": [...], "name": ...}`` for ``A``, ``B`` and ``other``, each where there is any.
    """
    groups: dict[str, list[nn.Parameter]] = {"A": [], "B": [], "other": []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[lora_factor(name) or "other"].append(parameter)
    return [{"params": members, "name": name} for name, members in groups.items() if members]


def blocks_of(parameters: Parameters) -> list[list[Tensor]]:
    """Tensors as one block, groups as one block each.

    Raises:
        ValueError: No tensor at all.
    """
    items = list(parameters)
    if not items:
        raise ValueError("no parameter to estimate a curvature for")
    groups = [list(item["params"]) for item in items if isinstance(item, Mapping)]
    return groups or [[item for item in items if isinstance(item, Tensor)]]


def local(tensor: Any) -> Tensor:
    """This process's shard of a DTensor, sharing its memory; a plain tensor as it is."""
    if type(tensor) is Tensor or type(tensor) is nn.Parameter:
        return tensor
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor
