"""What a finished training leaves: its spectrum, then the folder of adapter or model, which appears whole."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.files.objects import write_object
from flextune.lora_methods import other_update
from flextune.models.adapter_folder import SAFETENSORS
from flextune.models.split_start import plain_config, plain_tensors
from flextune.runs import layout

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PARTIAL = "adapter.partial"


def write_adapter(
    adapted: Any,
    folder: Path,
    *,
    tokenizer: Any,
    card: str,
    name: str = layout.ADAPTER,
    state: dict[str, Tensor] | None = None,
    split: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a PEFT model's adapter into a folder in ``folder``, which appears at once.

    It has all that others need with the base model: the tokenizer, its chat template where there is one, and
    a model card.

    Args:
        adapted: The model.
        folder: Of the training.
        tokenizer: Of the model.
        card: The model card.
        name: Of the adapter's folder.
        state: Its weights by name, where the model itself holds a part of each; None: the model's.
        split: What its start took out of the base weights (``split_start``): a plain adapter is written then.
    """
    partial = folder / PARTIAL
    adapted.save_pretrained(str(partial), state_dict=state, save_embedding_layers=False)
    config = json.loads((partial / layout.ADAPTER_CONFIG).read_text())
    if split is not None:
        from safetensors.torch import save_file

        save_file(_tensors(adapted, state, split), str(partial / SAFETENSORS), metadata={"format": "pt"})
        config = plain_config(config)
    # PEFT's config lists a set in an order that changes by process.
    for key in ("target_modules", "target_parameters"):
        config[key] = sorted(config[key]) if config.get(key) else config.get(key)
    (partial / layout.ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    _finish(partial, folder / name, tokenizer, card)


def write_model(
    model: Any, folder: Path, *, dtype: torch.dtype, tokenizer: Any, card: str, name: str = layout.MODEL
) -> None:
    """Write a whole model into a folder in ``folder``, which appears at once, with tokenizer and card.

    Args:
        model: Whose weights were trained.
        folder: Of the training.
        dtype: To which the weights are rounded.
        tokenizer: Of the model.
        card: The model card.
        name: Of the model's folder.
    """
    partial = folder / PARTIAL
    rounded = model if model.dtype == dtype else copy.deepcopy(model).to(dtype)
    rounded.save_pretrained(str(partial))
    _finish(partial, folder / name, tokenizer, card)


def write_spectrum(
    adapted: Any,
    folder: Path,
    state: dict[str, Tensor] | None = None,
    split: Mapping[str, Tensor] | None = None,
) -> None:
    """Write the spectrum of every matrix of an adapter, as it is saved; nothing where it has none.

    Args:
        adapted: The model.
        folder: Of the training.
        state: As for ``write_adapter``.
        split: As for ``write_adapter``.
    """
    from flextune.spectral.spectrum import adapter_spectrum

    if other_update(adapted.peft_config["default"]) is None:
        rows = adapter_spectrum(_tensors(adapted, state, split))
        write_object(folder / layout.SPECTRUM, {"matrices": rows})


def _tensors(
    adapted: Any, state: dict[str, Tensor] | None, split: Mapping[str, Tensor] | None
) -> dict[str, Tensor]:
    """An adapter's tensors as they are saved."""
    from peft import get_peft_model_state_dict

    tensors = get_peft_model_state_dict(adapted, state, save_embedding_layers=False)
    return dict(tensors) if split is None else plain_tensors(tensors, split)


def _finish(partial: Path, target: Path, tokenizer: Any, card: str) -> None:
    """Add what stands beside the weights, and give the folder its name once all of it is on the disk."""
    tokenizer.save_pretrained(str(partial))
    # PEFT's own card is an empty form.
    (partial / "README.md").write_text(card, encoding="utf-8")
    readable = (partial / "README.md").stat().st_mode
    for path in partial.iterdir():
        # safetensors writes weights that nobody else may read.
        path.chmod(readable)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    partial.replace(target)
