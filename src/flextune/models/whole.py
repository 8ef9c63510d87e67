"""Full fine-tuning: a model whose every weight trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.models.quantization import quantization_of

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel


def whole_model(loaded: LoadedModel) -> Any:
    """A copy of the model in which every weight trains, in float32; the base model stays as it is.

    Small steps are lost in weights of half precision, and float16's loss scaling needs gradients in float32.
    What the training computes in half precision it casts.

    Args:
        loaded: The base model.

    Raises:
        FlextuneError: Its weights are quantised.
    """
    # Whoever asks only what a model is needs neither PEFT nor the configuration.
    from flextune.models.adapters import shared_view

    refuse_quantized(quantization_of(loaded.model))
    view = shared_view(loaded.model, own=loaded.model.parameters())
    for parameter in view.parameters():
        parameter.data = parameter.data.float()
        parameter.requires_grad_(True)
    return view


def refuse_quantized(quantization: str | None) -> None:
    """Refuse to train weights in four or eight bits.

    Raises:
        FlextuneError: They are in so many.
    """
    if quantization is not None:
        raise FlextuneError(
            f"adapter: null trains all weights, and those in {quantization} cannot be trained: give an"
            " adapter, or leave quantization out"
        )


def base_of(model: Any) -> Any:
    """A model without the adapter around it; a whole model is that itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
