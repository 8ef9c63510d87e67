"""A base model in memory with the weights that an update is added to."""

from __future__ import annotations

from typing import Any

from flextune.models.devices import resolve_device
from flextune.models.load import DType, LoadedModel, load_model, load_tokenizer
from flextune.models.merging.adapted import AdaptedFiles
from flextune.models.merging.companions import tokenizer_folder


def load_base(model: AdaptedFiles, *, dtype: DType, device: str) -> LoadedModel:
    """The base model; in four bits, or onto such weights, dequantised.

    Args:
        model: Base model and adapter.
        dtype: Of the weights in memory.
        device: Where.

    Raises:
        FlextuneError: As ``load_model``.
    """
    folder = model.files.checkpoint.folder
    if model.files.checkpoint.four_bit is None:
        loaded = load_model(str(folder), dtype=dtype, device=device)
    else:
        loaded = _built(model, dtype, device)
    if model.onto != "weights" and model.files.checkpoint.four_bit is None:
        _fill(loaded.model, model, [name for name in model.files.names if model.is_quantized(name)])
    return LoadedModel(loaded.model, loaded.tokenizer, model.name, loaded.identity)


def _built(model: AdaptedFiles, dtype: DType, device: str) -> LoadedModel:
    """A model whose files are in four bits, without the package that keeps it so."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder = model.files.checkpoint.folder
    config: Any = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    for part in (config, config.get_text_config()):
        if hasattr(part, "quantization_config"):
            del part.quantization_config
    built = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    _fill(built, model, list(model.files.names))
    built.to(resolve_device(device)).eval().requires_grad_(False)
    tokenizer: Any = load_tokenizer(str(tokenizer_folder(folder, model.adapter.path) or folder))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(built, tokenizer, model.name, "")


def _fill(target: Any, model: AdaptedFiles, names: list[str]) -> None:
    import torch

    state = target.state_dict(keep_vars=True)
    with torch.no_grad():
        for name in names:
            state[name].copy_(model.base(name))
