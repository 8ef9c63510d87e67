"""A model in memory with an adapter merged into its weights."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError, one_line
from flextune.models.adapters import PEFT_ERRORS, load_adapter
from flextune.models.load import LoadedModel
from flextune.models.merging.layers import adapted_layers
from flextune.models.merging.rounding import Rounding


def merge_adapter(
    loaded: LoadedModel,
    folder: Path | str,
    scale: float = 1.0,
    spectral_norm: float | None = None,
    rounding: Rounding | None = None,
) -> LoadedModel:
    """A plain model whose weights hold the adapter; the base model stays as it is.

    ``W + scale * alpha / rank * B @ A`` is computed in float32 and rounded once to the base dtype, so that
    the weights are those of ``folder.write_merged``. Only the adapted matrices are copied.

    Args:
        loaded: The base model.
        folder: The adapter.
        scale: What its update is multiplied by.
        spectral_norm: Largest singular value that each module's update keeps; None: all are kept.
        rounding: Of the merged weights; None: to the nearest.

    Raises:
        FlextuneError: As ``adapters.load_adapter``; or an adapter that PEFT cannot merge, or a value too
            large
            for the dtype.
    """
    attached: Any = load_adapter(loaded, folder, scale, spectral_norm).model
    try:
        _merge_layers(attached, rounding or Rounding())
        with warnings.catch_warnings():
            # PEFT warns of layers that are merged already.
            warnings.simplefilter("ignore")
            merged = attached.merge_and_unload()
    except (FlextuneError, *PEFT_ERRORS) as error:
        raise FlextuneError(f"{folder}: {one_line(error)}; evaluate it unmerged") from error
    _note_ties(merged)
    return replace(loaded, model=merged.eval().requires_grad_(False))


def _merge_layers(attached: Any, rounding: Rounding) -> None:
    """Give every adapted module weights of its own, with the adapter in them.

    A tied output head keeps the base model's: before merging, the embeddings' adapter is not in it either.
    """
    import torch

    for adapted in adapted_layers(attached):
        base = adapted.layer.get_base_layer()
        values = {full: getattr(base, short).data for short, full in adapted.parameters.items()}
        merged = adapted.merged(values, torch.float32)
        for short, full in adapted.parameters.items():
            own = rounding.of(merged[full], values[full].dtype, full)
            setattr(base, short, torch.nn.Parameter(own, requires_grad=False))
        # So that PEFT, which takes the layer away, does not merge it again.
        adapted.layer.merged_adapters.append("default")


def _note_ties(model: Any) -> None:
    """Say in a model's configuration that its output head is no longer the embeddings, where that is so."""
    head = model.get_output_embeddings()
    if head is not None and head.weight is not model.get_input_embeddings().weight:
        model.config.tie_word_embeddings = False
