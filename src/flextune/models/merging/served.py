"""The forms in which a model with an adapter can answer: beside the weights, in them, merged wrongly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from flextune.files.names import number_of
from flextune.lora_names import PREFIX, layer_of
from flextune.models.adapters import load_adapter, shared_view
from flextune.models.four_bit import FourBit, through_four_bits
from flextune.models.load import LoadedModel
from flextune.models.merging.memory import merge_adapter
from flextune.models.merging.rounding import Rounding

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Fault = Literal["none", "alpha-twice", "half-the-layers", "another-base", "dropout-on"]

#: How far the weights of ``another-base`` are from the base model's, as a part of their size.
ANOTHER_BASE = 0.03


@dataclass(frozen=True)
class Serving:
    """How a model answers.

    Attributes:
        merged: The adapter is in the weights, not beside them.
        scale: What its update is multiplied by.
        spectral_norm: Largest singular value that the update of a module keeps; None: all are kept.
        dtype: All weights are rounded to it; None: they are not. Computed is in the model's own dtype, so
            that
            nothing but the weights makes a difference.
        onto: ``nf4`` or ``fp4``: the base model's linear weights go through four bits.
        rounding: Of the merged weights.
        fault: A mistake of merging, made on purpose to measure it.
    """

    merged: bool = False
    scale: float = 1.0
    spectral_norm: float | None = None
    dtype: str | None = None
    onto: str = "weights"
    rounding: str = "nearest"
    fault: Fault = "none"

    def given(self) -> dict[str, Any]:
        """What is not as by default, as a key has it."""
        row = {} if not self.merged else {"export": "merged"}
        rest = {key: value for key, value in asdict(self).items() if key != "merged"}
        return {**row, **{key: value for key, value in rest.items() if value != getattr(Serving, key)}}

    def of_base(self) -> Serving:
        """What of it concerns a base model without an adapter."""
        return replace(self, merged=False, scale=1.0, spectral_norm=None, fault="none")


#: Beside the weights, as they are.
PLAIN = Serving()


def serve(base: LoadedModel, folder: Path | None, serving: Serving) -> LoadedModel:
    """The model in one of its forms; the base model stays as it is.

    Raises:
        FlextuneError: As ``load_adapter`` and ``merge_adapter``.
    """
    base = _prepared(base, serving)
    scale = serving.scale * (2 if serving.fault == "alpha-twice" else 1)
    if folder is None:
        return base if serving.dtype is None else _rounded(base, serving, base.model.parameters())
    if not serving.merged:
        if serving.dtype is not None:
            base = _rounded(base, serving, base.model.parameters())
        loaded = load_adapter(base, folder, scale, serving.spectral_norm)
        if serving.fault == "dropout-on":
            _leave_dropout_on(loaded.model, folder)
        return loaded
    merged = merge_adapter(base, folder, scale, serving.spectral_norm)
    if serving.fault == "half-the-layers":
        _take_back_half(merged.model, base.model)
    return merged if serving.dtype is None else _rounded(merged, serving, merged.model.parameters())


def _prepared(base: LoadedModel, serving: Serving) -> LoadedModel:
    """The base model with other weights, where the form asks for them."""
    import torch

    linear = _linear_weights(base.model)
    if serving.onto != "weights":
        kind = cast(FourBit, serving.onto)
        return _changed(base, linear, lambda name, weight: through_four_bits(weight, kind))
    if serving.fault == "another-base":

        def moved(name: str, weight: Tensor) -> Tensor:
            generator = torch.Generator().manual_seed(number_of(name))
            noise = torch.randn(weight.shape, generator=generator).to(weight.device)
            return weight + ANOTHER_BASE * weight.float().std() * noise

        return _changed(base, linear, moved)
    return base


def _linear_weights(model: Any) -> dict[str, Tensor]:
    import torch

    head = model.get_output_embeddings()
    return {
        f"{name}.weight": module.weight
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }


def _changed(base: LoadedModel, weights: dict[str, Tensor], change: Any) -> LoadedModel:
    """A view of a model in which some weights are others."""
    import torch

    view = shared_view(base.model, own=weights.values())
    with torch.no_grad():
        for name in weights:
            parameter = view.get_parameter(name)
            parameter.copy_(change(name, parameter))
    return replace(base, model=view)


def _rounded(loaded: LoadedModel, serving: Serving, parameters: Iterable[Tensor]) -> LoadedModel:
    """A view of a model whose weights are numbers of a narrower type, in the type that they had."""
    import torch

    dtype: torch.dtype = getattr(torch, str(serving.dtype))
    rounding = Rounding(serving.rounding)  # type: ignore[arg-type]
    view = shared_view(loaded.model, own=list(parameters))
    with torch.no_grad():
        for name, parameter in view.named_parameters():
            parameter.copy_(rounding.of(parameter.float(), dtype, name))
    return replace(loaded, model=view)


def _take_back_half(merged: Any, base: Any) -> None:
    """Give the upper half of the layers the base model's weights again."""
    import torch

    theirs = dict(base.named_parameters())
    last = max(layer_of(name) or 0 for name in theirs)
    for name in [name for name, _ in merged.named_parameters()]:
        if (layer_of(name) or 0) > last // 2:
            module, _, short = name.rpartition(".")
            own = torch.nn.Parameter(theirs[name].data, requires_grad=False)
            setattr(merged.get_submodule(module), short, own)


def _leave_dropout_on(attached: Any, folder: Path) -> None:
    """Let the adapter's dropout act, as in a model that was left in training mode."""
    from flextune.models.adapter_folder import open_adapter

    rate = float(open_adapter(folder).config.get("lora_dropout") or 0)
    for path, layer in attached.named_modules():
        if "default" in getattr(layer, "lora_dropout", ()):
            layer.lora_dropout["default"] = _dropout(rate, path.removeprefix(PREFIX))


def _dropout(rate: float, name: str) -> Any:
    """Dropout whose mask depends on its input, so that a continued run draws what it would have drawn."""
    import torch

    class Dropout(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            content = float(x.double().abs().sum())
            generator = torch.Generator().manual_seed(number_of(f"{name} {content:.6e} {tuple(x.shape)}"))
            keep = torch.rand(x.shape, generator=generator).to(x.device) >= rate
            return x * keep / (1 - rate)

    return Dropout()
