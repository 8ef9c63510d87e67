"""Train on: an earlier LoRA adapter's matrices as the start of another training (sequential fine-tuning)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.lora_methods import start_in_base
from flextune.lora_names import adapted_module, parse_lora_name
from flextune.models.adapter_folder import AdapterFolder, usable_adapter
from flextune.models.saved_adapter import read_saved_adapter

if TYPE_CHECKING:
    from peft import PeftModel

    from flextune.config import AdapterConfig

_REMEDY = "or begin with use: merged"


def check_start(model: Any, folder: Path, adapter: AdapterConfig) -> None:
    """Refuse a start that ``begin_with`` would refuse, without the model's weights.

    Args:
        model: Name or folder of a model, or its transformers configuration.
        folder: The adapter to begin with.
        adapter: Of the training.

    Raises:
        FlextuneError: As ``begin_with``.
    """
    from flextune.models.adapters import attach_adapter
    from flextune.models.load import LoadedModel, model_skeleton

    name = model if isinstance(model, str) else model.model_type
    opened = _continuable(usable_adapter(folder))
    attached = attach_adapter(LoadedModel(model_skeleton(model), None, name, ""), adapter, seed=0)
    _check_fit(
        attached, opened, {key: tuple(t.shape) for key, t in opened.tensors().items() if t is not None}
    )


def begin_with(adapted: PeftModel, folder: Path) -> None:
    """Give a fresh adapter the matrices of a finished one.

    Args:
        adapted: A model with a fresh LoRA adapter of the same shape and scale.
        folder: The finished adapter.

    Raises:
        FlextuneError: No adapter there, one of another method or kind of LoRA, for other modules or
            layers, of another rank or scale, or one with NaN or infinity.
    """
    from peft import set_peft_model_state_dict

    saved = read_saved_adapter(_continuable(usable_adapter(folder)))
    _check_fit(adapted, saved.folder, {name: tuple(tensor.shape) for name, tensor in saved.tensors.items()})
    set_peft_model_state_dict(adapted, dict(saved.tensors))


def _continuable(folder: AdapterFolder) -> AdapterFolder:
    """Plain LoRA: its matrices are all that it is."""
    config = folder.config
    kind = next((name for name in ("use_dora", "use_qalora", "lora_bias") if config.get(name)), None)
    if isinstance(config.get("init_lora_weights"), str):
        kind = f"init_lora_weights {config['init_lora_weights']!r}"
    if folder.method != "LORA" or kind is not None or config.get("modules_to_save"):
        what = kind or ("modules_to_save" if folder.method == "LORA" else f"peft_type {folder.method}")
        raise FlextuneError(f"{folder.path}: {what}: only plain LoRA is trained on; {_REMEDY[3:]}")
    return folder


def _check_fit(adapted: PeftModel, folder: AdapterFolder, shapes: Mapping[str, tuple[int, ...]]) -> None:
    from peft import get_peft_model_state_dict

    ours = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    for name in [
        *(name for name in shapes if name not in ours),
        *(name for name in ours if name not in shapes),
    ]:
        who = "the adapter to start from" if name in shapes else "this training"
        raise FlextuneError(
            f"{folder.path}: only {who} adapts {adapted_module(name)}; give adapter.targets and"
            f" adapter.layers as it has them, {_REMEDY}"
        )
    for name, shape in shapes.items():
        wanted = tuple(ours[name].shape)
        if shape != wanted:
            parsed = parse_lora_name(name)
            factor = f" lora_{parsed.factor}" if parsed is not None and parsed.factor else ""
            raise FlextuneError(
                f"{folder.path}: {adapted_module(name)}{factor} has shape {list(shape)}, this training's"
                f" {list(wanted)}; set adapter.rank: {folder.config.get('r')}, {_REMEDY}"
            )
    if start_in_base(adapted.peft_config["default"]) is not None:
        raise FlextuneError(
            f"{folder.path}: a training that begins with it has no other start; leave"
            " adapter.init_lora_weights out"
        )
    _check_scale(adapted, folder)


def _check_scale(adapted: PeftModel, folder: AdapterFolder) -> None:
    """The same matrices have another effect under another scale."""
    config, own = folder.config, adapted.peft_config["default"]
    if config.get("alpha_pattern") or config.get("rank_pattern"):
        raise FlextuneError(
            f"{folder.path}: ranks or alphas by module: only one rank is trained on; {_REMEDY[3:]}"
        )
    theirs, ours = (
        _scale(config["lora_alpha"], config["r"], config.get("use_rslora")),
        _scale(own.lora_alpha, own.r, own.use_rslora),
    )
    if not math.isclose(theirs, ours):
        raise FlextuneError(
            f"{folder.path}: its update is scaled by {theirs:g}, this training's by {ours:g}; set"
            f" adapter.alpha: {theirs * own.r:g}, {_REMEDY}"
        )


def _scale(alpha: float, rank: int, root: Any) -> float:
    return alpha / (math.sqrt(rank) if root else rank)
