"""Which linear modules of a model get an adapter: named sets, module names, layer ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flextune.errors import FlextuneError, did_you_mean

#: What each named set covers, in terms of a decoder block's roles.
SETS: dict[str, tuple[str, ...]] = {
    "attention": ("q", "v"),
    "standard": ("q", "v", "up", "down"),
    "mlp": ("gate", "up", "down"),
    "all": ("q", "k", "v", "o", "gate", "up", "down"),
}

_LLAMA = {role: f"{role}_proj" for role in SETS["all"]}
_SPLIT = {role: f"{role}_proj" for role in "qkv"}
_FUSED_BLOOM = {
    **dict.fromkeys("qkv", "query_key_value"),
    "o": "dense",
    "up": "dense_h_to_4h",
    "down": "dense_4h_to_h",
}
_FUSED_GPT2 = {**dict.fromkeys("qkv", "c_attn"), "o": "attn.c_proj", "up": "c_fc", "down": "mlp.c_proj"}

# Names by ``config.model_type``, where they are not Llama's. A role without an entry does not exist
# there (an ungated MLP has no gate); a fused projection stands for each of its roles.
_NAMES: dict[str, dict[str, str]] = {
    "bloom": _FUSED_BLOOM,
    "codegen": {**dict.fromkeys("qkv", "qkv_proj"), "o": "out_proj", "up": "fc_in", "down": "fc_out"},
    "falcon": _FUSED_BLOOM,
    "gpt2": _FUSED_GPT2,
    "gpt_bigcode": _FUSED_GPT2,
    "gpt_neo": {**_SPLIT, "o": "out_proj", "up": "c_fc", "down": "c_proj"},
    "gpt_neox": _FUSED_BLOOM,
    "gptj": {**_SPLIT, "o": "out_proj", "up": "fc_in", "down": "fc_out"},
    "opt": {**_SPLIT, "o": "out_proj", "up": "fc1", "down": "fc2"},
    "phi": {**_SPLIT, "o": "dense", "up": "fc1", "down": "fc2"},
    "phi3": {
        **dict.fromkeys("qkv", "qkv_proj"),
        "o": "o_proj",
        **dict.fromkeys(("gate", "up"), "gate_up_proj"),
        "down": "down_proj",
    },
    "starcoder2": {**_SPLIT, "o": "o_proj", "up": "c_fc", "down": "c_proj"},
}


def target_modules(
    model: Any, targets: str | Sequence[str], layers: str | Sequence[int] | None = None
) -> list[str]:
    """Full names of the linear modules that get an adapter, in the model's order.

    Args:
        model: A Hugging Face causal language model; the meta device will do.
        targets: A set (``attention``, ``standard``, ``mlp``, ``all``) or module names; a name matches the
            end of a module's full name at a dot.
        layers: ``"0-15"``, ``"4-"``, ``"2"``, ``"0-3,8-"`` or numbers; None takes all.

    Raises:
        FlextuneError: A name or layer that this model does not have.
    """
    linear = linear_modules(model)
    names = _set_names(model, targets, linear) if isinstance(targets, str) else list(targets)
    for name in names:
        if not any(_ends_with(module, name) for module in linear):
            raise FlextuneError(_unknown_module(name, linear))
    wanted = _layer_numbers(layers, _layer_count(linear))
    chosen = [module for module in linear if any(_ends_with(module, name) for name in names)]
    if wanted is not None:
        chosen = [module for module in chosen if _layer_of(module) in wanted]
    if not chosen:
        raise FlextuneError(f"targets {targets!r} in layers {layers!r} match no module of this model")
    return chosen


def short_names(model: Any, modules: Sequence[str]) -> list[str]:
    """The modules' last names where those mean exactly these modules, else the full names.

    An adapter's config then reads ``["down_proj", "gate_proj", "up_proj"]`` instead of a name per layer.
    """
    last = _last_names(modules)
    meant = [name for name, _ in model.named_modules() if any(_ends_with(name, short) for short in last)]
    return last if meant == list(modules) else list(modules)


def linear_modules(model: Any) -> list[str]:
    """Full names of the modules that LoRA can adapt, except the output head."""
    import torch
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D)) and module is not head
    ]


def _set_names(model: Any, targets: str, linear: list[str]) -> list[str]:
    if targets not in SETS:
        raise FlextuneError(
            f"targets {targets!r} is no set (known: {', '.join(SETS)}); give module names as a list"
        )
    kind = model.config.model_type
    roles = _NAMES.get(kind, _LLAMA)
    names = list(dict.fromkeys(roles[role] for role in SETS[targets] if role in roles))
    lacking = [name for name in names if not any(_ends_with(module, name) for module in linear)]
    if lacking:
        raise FlextuneError(
            f"targets {targets!r} is not known for a {kind} model (no {lacking[0]}); "
            f"give module names as a list, from: {', '.join(_last_names(linear))}"
        )
    return names


def _unknown_module(name: str, linear: list[str]) -> str:
    known = _last_names(linear)
    hint = did_you_mean(name, known)
    return f"target module {name!r} is not in this model{hint} (linear modules: {', '.join(known)})"


def _last_names(modules: Sequence[str]) -> list[str]:
    return sorted({module.rsplit(".", 1)[-1] for module in modules})


def _ends_with(module: str, name: str) -> bool:
    return module == name or module.endswith(f".{name}")


def _layer_of(module: str) -> int | None:
    return next((int(part) for part in module.split(".") if part.isdecimal()), None)


def _layer_count(linear: list[str]) -> int:
    return 1 + max((number for number in map(_layer_of, linear) if number is not None), default=-1)


def _layer_numbers(layers: str | Sequence[int] | None, count: int) -> set[int] | None:
    if layers is None:
        return None
    if isinstance(layers, str):
        wanted = {number for part in layers.split(",") for number in _range(part.strip(), layers, count)}
    else:
        wanted = set(layers)
    outside = sorted(number for number in wanted if not 0 <= number < count)
    if outside:
        raise FlextuneError(f"layers {layers!r}: this model has layers 0-{count - 1}, not {outside[0]}")
    if not wanted:
        raise FlextuneError(f"layers {layers!r} names no layer (this model has 0-{count - 1})")
    return wanted


def _range(part: str, layers: str, count: int) -> range:
    match = re.fullmatch(r"(\d+)(?:(-)(\d*))?", part)
    if match is None:
        raise FlextuneError(f'layers {layers!r} is no range; write for example "0-15", "4-" or "2"')
    first = int(match[1])
    if match[2] is None:
        return range(first, first + 1)
    last = int(match[3]) if match[3] else max(first, count - 1)
    return range(first, last + 1)
