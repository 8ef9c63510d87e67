"""The type that a model's weights are stored in."""

from __future__ import annotations

from typing import cast

from flextune.config import EMBEDDED_MODEL, DType
from flextune.extras import need
from flextune.models.gguf import is_gguf
from flextune.models.names import without_revision

_TYPES = ("float32", "bfloat16", "float16")


def stored_dtype(name: str) -> DType:
    """What ``auto`` stands for: the type that the model's files have, as its configuration says.

    The embedded model is stored in half precision to be small, and a GGUF file in a few bits: both compute in
    float32.

    Args:
        name: As for ``load_model``.

    Raises:
        FlextuneError: There is no such model.
    """
    if name == EMBEDDED_MODEL or is_gguf(without_revision(name)[0]):
        return "float32"
    need("torch", "transformers", "peft")
    from flextune.models.load import model_config

    stored = str(getattr(model_config(name), "dtype", None)).removeprefix("torch.")
    return cast(DType, stored) if stored in _TYPES else "float32"
