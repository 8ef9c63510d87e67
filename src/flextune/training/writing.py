"""What a finished training leaves: its spectrum, then the adapter's folder, which appears whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.files.objects import write_object
from flextune.runs import layout

if TYPE_CHECKING:
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
    """
    partial = folder / PARTIAL
    adapted.save_pretrained(str(partial), state_dict=state, save_embedding_layers=False)
    tokenizer.save_pretrained(str(partial))
    # PEFT's own card is an empty form, and its config lists a set in an order that changes by process.
    (partial / "README.md").write_text(card, encoding="utf-8")
    config = json.loads((partial / layout.ADAPTER_CONFIG).read_text())
    for key in ("target_modules", "target_parameters"):
        config[key] = sorted(config[key]) if config.get(key) else config.get(key)
    (partial / layout.ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for path in partial.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    partial.replace(folder / name)


def write_spectrum(adapted: Any, folder: Path, state: dict[str, Tensor] | None = None) -> None:
    """Write the spectrum of every matrix of an adapter; ``state`` as for ``write_adapter``."""
    from peft import get_peft_model_state_dict

    from flextune.spectral.spectrum import adapter_spectrum

    rows = adapter_spectrum(get_peft_model_state_dict(adapted, state, save_embedding_layers=False))
    write_object(folder / layout.SPECTRUM, {"matrices": rows})
