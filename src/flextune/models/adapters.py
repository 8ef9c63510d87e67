"""LoRA adapters through PEFT: attach a new one, or load one after checking that it fits.

The caller's base model is never changed: an adapter goes into a view, a second tree of modules over
the same parameter tensors. Training, generation and the next arm can share one model in memory.
"""

from __future__ import annotations

import contextlib
import copy
import json
import warnings
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.models.targets import short_names, target_modules

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor

    from flextune.config import AdapterConfig

_PREFIX = "base_model.model."
_FACTORS = {"lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B"}


def attach_adapter(loaded: LoadedModel, adapter: AdapterConfig, seed: int) -> PeftModel:
    """A trainable view of the model with a fresh LoRA adapter (arXiv:2106.09685).

    Args:
        loaded: The base model; it stays as it is.
        adapter: Rank, alpha, dropout, targets and layers.
        seed: Alone decides the initial A matrices (B is 0); the global generators are left untouched.

    Raises:
        FlextuneError: An unknown target module or layer, or a layer that LoRA cannot adapt.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    view = shared_view(loaded.model)
    modules = target_modules(view, adapter.targets, adapter.layers)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        # PEFT declares an int, and divides by the rank.
        lora_alpha=cast(int, adapter.alpha),
        lora_dropout=adapter.dropout,
        bias="none",
        target_modules=short_names(view, modules),
        fan_in_fan_out=isinstance(view.get_submodule(modules[0]), Conv1D),
    )
    with _quietly(view):
        torch.manual_seed(seed)
        return get_peft_model(view, config)


def load_adapter(loaded: LoadedModel, folder: Path | str, scale: float = 1.0) -> LoadedModel:
    """The model with the adapter of a PEFT folder beside its weights; the base model stays as it is.

    Args:
        loaded: The base model.
        folder: The adapter.
        scale: What its update is multiplied by: ``W + scale * alpha / rank * B @ A``.

    Raises:
        FlextuneError: No adapter there, a damaged file, an adapter for another model, or one that a scale
            other than 1 has no meaning for.
    """
    check_adapter(loaded, folder)
    return replace(loaded, model=attach_saved(shared_view(loaded.model), folder, scale))


def attach_saved(model: Any, folder: Path | str, scale: float = 1.0) -> PeftModel:
    """Load a PEFT folder into a model, in place; ``check_adapter`` comes first."""
    from peft import PeftModel

    try:
        with _quietly(model):
            attached = PeftModel.from_pretrained(model, str(folder), is_trainable=False).eval()
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise FlextuneError(f"{folder}: PEFT cannot load this adapter ({reason})") from error
    if scale != 1:
        _scale_update(attached, folder, scale)
    return attached


def trainable_parameters(model: Any) -> int:
    """Number of parameters that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def shared_view(model: Any, own: Collection[str] = ()) -> Any:
    """A second tree of modules over the same tensors.

    Args:
        model: Any module.
        own: Full names of modules whose own parameters are copied instead of shared.
    """
    copied = {id(tensor) for name in own for tensor in model.get_submodule(name).parameters(recurse=False)}
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors if id(tensor) not in copied})


def adapter_weights(folder: Path | str) -> dict[str, Tensor]:
    """Tensors of a PEFT folder, on the CPU.

    Raises:
        FlextuneError: No adapter there, or a damaged file.
    """
    from peft.utils import load_peft_weights
    from safetensors import SafetensorError

    folder = Path(folder)
    if not (folder / "adapter_config.json").is_file():
        raise FlextuneError(f"{folder}: no adapter_config.json; it is not an adapter folder")
    if not any((folder / name).is_file() for name in ("adapter_model.safetensors", "adapter_model.bin")):
        raise FlextuneError(f"{folder}: no adapter_model.safetensors; the adapter's weights are missing")
    try:
        return dict(load_peft_weights(str(folder), device="cpu"))
    except (SafetensorError, OSError, RuntimeError, EOFError) as error:
        raise FlextuneError(f"{folder}: the adapter's weights are damaged ({error})") from None


def check_adapter(loaded: LoadedModel, folder: Path | str) -> list[str]:
    """Check that every tensor of an adapter finds its module, of its shape.

    Returns:
        Full names of the modules it adapts.

    Raises:
        FlextuneError: It was made for another model; names the first module that differs.
    """
    state = adapter_weights(folder)
    modules = dict(loaded.model.named_modules())
    found: dict[str, set[str]] = {}
    for key, tensor in state.items():
        name, factor = _split_key(key)
        if name not in modules:
            raise FlextuneError(
                f"{folder}: adapter for another model{_made_for(folder)}: {loaded.name} has no {name}"
            )
        expected = _shape(modules[name], factor, tensor)
        if expected is not None and tuple(tensor.shape) != expected:
            raise FlextuneError(
                f"{folder}: adapter for another model{_made_for(folder)}: {name} {factor} has shape "
                f"{tuple(tensor.shape)}, {loaded.name} needs {expected}"
            )
        found.setdefault(name, set()).add(factor)
    if not found:
        raise FlextuneError(f"{folder}: the adapter holds no tensor")
    for name, factors in found.items():
        if len(pair := factors & {"lora_A", "lora_B"}) == 1:
            lacking = "lora_A" if pair == {"lora_B"} else "lora_B"
            raise FlextuneError(f"{folder}: the adapter's weights are incomplete: {name} has no {lacking}")
    return list(found)


def _scale_update(model: PeftModel, folder: Path | str, scale: float) -> None:
    """Multiply what an adapter adds; what it replaces (a magnitude, a whole module) cannot be multiplied.

    Raises:
        FlextuneError: It holds more than the factors of an update, by the first name.
    """
    from peft.tuners.lora import LoraLayer

    for key in adapter_weights(folder):
        _, factor = _split_key(key)
        if factor not in _FACTORS:
            raise FlextuneError(
                f"{folder}: adapter.scale {scale:g} multiplies an update B A; this adapter also holds {key}"
            )
    for module in model.modules():
        if isinstance(module, LoraLayer):
            module.scale_layer(scale)


@contextlib.contextmanager
def _quietly(model: Any) -> Iterator[None]:
    """PEFT draws weights from the global generators, even those it overwrites, and calls deprecated names."""
    import torch

    devices = {parameter.device for parameter in model.parameters() if parameter.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(devices)), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _split_key(key: str) -> tuple[str, str]:
    """``base_model.model.<module>.lora_A.weight`` as module and ``lora_A``."""
    name, mark, rest = key.removeprefix(_PREFIX).partition(".lora_")
    if mark:
        return name, f"lora_{rest.split('.')[0]}"
    return name.rpartition(".")[0], "weight"


def _shape(module: Any, factor: str, tensor: Tensor) -> tuple[int, ...] | None:
    """The shape that a factor must have there; None where PEFT alone can tell."""
    weight = getattr(module, "weight", None)
    if weight is None or weight.ndim != 2 or tensor.ndim != 2:
        return None
    # Quantised weights are packed; the layer's own numbers hold then. GPT-2's Conv1D has neither.
    outputs = getattr(module, "out_features", None) or weight.shape[1]
    inputs = getattr(module, "in_features", None) or weight.shape[0]
    if factor == "lora_A":
        return (tensor.shape[0], inputs)
    return (outputs, tensor.shape[1]) if factor == "lora_B" else None


def _made_for(folder: Path | str) -> str:
    """What the adapter says about its base model, for an error message."""
    try:
        name = json.loads(Path(folder, "adapter_config.json").read_text()).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError):
        return ""
    return f" (made for {name})" if name else ""
