"""Adapters merged into the weights they adapt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flextune.models.adapters import attach_saved, check_adapter, shared_view
from flextune.models.load import LoadedModel


def merge_adapter(loaded: LoadedModel, folder: Path | str, scale: float = 1.0) -> LoadedModel:
    """A plain model whose weights hold the adapter; the base model stays as it is.

    ``W + scale * alpha / rank * B @ A`` is rounded once to the base dtype: the update's relative error is
    about 0.7 % in float16 and 6 % in bfloat16, where small changes of single weights are lost. Only the
    adapted matrices are copied.

    Raises:
        FlextuneError: As ``adapters.load_adapter``.
    """
    adapted = check_adapter(loaded, folder)
    view = shared_view(loaded.model, own=adapted)
    merged = attach_saved(view, folder, scale).merge_and_unload()
    return replace(loaded, model=merged.eval().requires_grad_(False))
