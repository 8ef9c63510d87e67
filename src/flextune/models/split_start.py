"""Adapters whose start takes A and B out of the base weights (PiSSA, OLoRA), as plain adapters.

With ``W = R + s B0 A0`` the trained model is ``R + s B A = W + s (B A - B0 A0)``: a plain update of twice the
rank, for the base model as everyone has it (arXiv:2404.02948, section 3). A folder with the name of the start
instead is read wrongly by servers that do not know it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flextune.lora_methods import start_in_base
from flextune.lora_names import parse_lora_name

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor


def split_start(adapted: PeftModel) -> dict[str, Tensor] | None:
    """Copies of A0 and B0 by PEFT's names, before training; None where nothing was taken out of the base."""
    from peft import get_peft_model_state_dict

    if start_in_base(adapted.peft_config["default"]) is None:
        return None
    tensors = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    return {name: tensor.detach().clone() for name, tensor in tensors.items() if _is_factor(name)}


def plain_tensors(tensors: Mapping[str, Tensor], start: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the plain adapter.

    Args:
        tensors: Of the trained adapter, by PEFT's names.
        start: What ``split_start`` gave.

    Returns:
        A of shape ``(2 rank, in)`` and B of shape ``(out, 2 rank)``; what else there is as it was.
    """
    import torch

    found = dict(tensors)
    for name, first in start.items():
        parsed = parse_lora_name(name)
        first = first.to(tensors[name].device)
        if parsed is not None and parsed.factor == "A":
            found[name] = torch.cat([tensors[name], first], dim=0)
        else:
            found[name] = torch.cat([tensors[name], -first], dim=1)
    return found


def plain_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """``adapter_config.json`` of the plain adapter: twice the rank, the same scale.

    Args:
        config: Of the trained one.
    """
    factor = math.sqrt(2) if config.get("use_rslora") else 2
    return {
        **config,
        "init_lora_weights": True,
        "r": 2 * config["r"],
        "lora_alpha": factor * config["lora_alpha"],
        "rank_pattern": {name: 2 * rank for name, rank in (config.get("rank_pattern") or {}).items()},
        "alpha_pattern": {
            name: factor * alpha for name, alpha in (config.get("alpha_pattern") or {}).items()
        },
    }


def _is_factor(name: str) -> bool:
    parsed = parse_lora_name(name)
    return parsed is not None and parsed.kind == "matrix"
