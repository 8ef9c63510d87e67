"""An adapter's update made smaller where it answers: multiplied, or its largest singular values cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.lora_names import without_wrappers
from flextune.models.saved_adapter import SavedAdapter

if TYPE_CHECKING:
    from peft import PeftModel


def scale_update(attached: PeftModel, saved: SavedAdapter, base: Any, scale: float) -> None:
    """Multiply what an adapter adds; what it replaces (a magnitude, a whole module) cannot be multiplied.

    Raises:
        FlextuneError: It holds more than the factors of an update, by the first name.
    """
    for layer in _layers(attached, saved, base, f"scale {scale:g} multiplies").values():
        layer.scale_layer(scale)


def clip_update(attached: PeftModel, saved: SavedAdapter, base: Any, limit: float) -> None:
    """Cut the singular values of what an adapter adds to each module at ``limit``.

    Raises:
        FlextuneError: It holds more than the factors of an update, or adapts what is no linear module.
    """
    import torch

    from flextune.spectral.clipping import clip_singular_values

    what = f"spectral_norm {limit:g} cuts"
    for name, layer in _layers(attached, saved, base, what).items():
        if "default" not in layer.lora_A or not isinstance(layer.lora_A["default"], torch.nn.Linear):
            raise _refused(saved, what, f"an update of {without_wrappers(name)}, which is no linear module")
        a, b, factor = (
            layer.lora_A["default"].weight,
            layer.lora_B["default"].weight,
            layer.scaling["default"],
        )
        a.data, b.data = clip_singular_values(a.data, b.data, limit / abs(factor)) if factor else (a, b)


def _layers(attached: PeftModel, saved: SavedAdapter, base: Any, what: str) -> dict[str, Any]:
    """The adapted modules by name, of an adapter that holds nothing but factors of updates."""
    from peft.tuners.lora import LoraLayer

    extra = next((name for name in saved.tensors if not saved.is_scalable(name, base)), None)
    modules = dict(attached.get_base_model().named_modules())
    layers = {name: module for name, module in modules.items() if isinstance(module, LoraLayer)}
    extra = extra or next(
        (name for name, layer in layers.items() if _splits_weights(name, layer, base)), None
    )
    if extra is not None:
        raise _refused(saved, what, extra)
    return layers


def _refused(saved: SavedAdapter, what: str, extra: str) -> FlextuneError:
    return FlextuneError(f"{saved.path}: generate.{what} an update B A; this adapter also holds {extra}")


def _splits_weights(name: str, layer: Any, base: Any) -> bool:
    """Whether an adapter left other weights in a module than the base model's, as PiSSA does."""
    import torch

    theirs = dict(base.get_submodule(without_wrappers(name)).named_parameters(recurse=False))
    ours = layer.get_base_layer().named_parameters(recurse=False)
    return any(each is not theirs[key] and not torch.equal(each, theirs[key]) for key, each in ours)
