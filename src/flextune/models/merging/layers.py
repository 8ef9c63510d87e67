"""What an attached adapter makes of the base model's parameters, one layer at a time, in any precision.

PEFT's own rules do the work, whatever the method (LoRA, rsLoRA, DoRA, experts, embeddings, tokens, ...): a
layer is given base weights in the wanted precision, merges, and is asked for the result.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError, one_line
from flextune.lora_names import PREFIX, without_wrappers
from flextune.models.adapters import PEFT_ERRORS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: How PEFT starts an adapter from a split of the base weights, which it repeats when the adapter is loaded.
_SPLITS = ("pissa", "olora")
#: Starts that also change the base weights, and that nobody can repeat from the adapter's folder alone.
_UNREPEATABLE = {
    "corda": "it splits the base weights by statistics of data",
    "loftq": "it quantises the base weights",
    "lora_ga": "it splits the base weights by gradients",
    "pissa_niter": "it splits the base weights by a random method",
}
#: In this precision PEFT can split weights.
_SPLIT_IN = "float32"


@dataclass(frozen=True, eq=False)
class Factors:
    """``scale * b @ a``, with ``a`` of shape ``(rank, in)`` and ``b`` of shape ``(out, rank)``."""

    a: Tensor
    b: Tensor
    scale: float


@dataclass(frozen=True, eq=False)
class AdaptedLayer:
    """One layer of PEFT's.

    Attributes:
        name: The module's name in the base model.
        layer: The layer; for parameters of one module that are adapted apart, one for each.
        parameters: Names in the base module of what it may change, to full names.
        split: How the adapter's start split the base weights; None where it left them alone.
    """

    name: str
    layer: Any
    parameters: Mapping[str, str]
    split: str | None = None

    def merged(self, values: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
        """The parameters with the adapter in them.

        Args:
            values: The base model's, by full names.
            dtype: In which it is computed and returned: float32 or float64.

        Raises:
            FlextuneError: PEFT cannot merge it, or the result is not finite.
        """
        import torch

        base = self.layer.get_base_layer()
        before = {short: getattr(base, short) for short in self.parameters}
        try:
            if self.split:
                values = self._split_again(base, values, self.split)
            self._give(base, values, dtype)
            with _factors_in(self.layer, dtype), warnings.catch_warnings():
                # PEFT warns of tied weights; theirs are apart by now.
                warnings.simplefilter("ignore")
                self.layer.merge()
            result = {full: getattr(base, short).data for short, full in self.parameters.items()}
        except PEFT_ERRORS as error:
            raise FlextuneError(f"{self.name} cannot be merged ({one_line(error)})") from error
        finally:
            self.layer.merged_adapters.clear()
            for short, parameter in before.items():
                setattr(base, short, parameter)
        for full, tensor in result.items():
            if not torch.isfinite(tensor).all():
                raise FlextuneError(f"{full} with the adapter in it is NaN or infinite")
        return result

    def factors(self) -> Factors | None:
        """The two factors of a plain update ``scale * B @ A``; None of anything else (experts, DoRA, ...)."""
        layer = self.layer
        plain = "default" in getattr(layer, "lora_A", ()) and not getattr(layer, "parameter_name", None)
        if not plain or getattr(layer, "lora_variant", None):
            return None
        a, b = layer.lora_A["default"].weight.data, layer.lora_B["default"].weight.data
        return Factors(a, b, float(layer.scaling["default"]))

    def _give(self, base: Any, values: Mapping[str, Tensor], dtype: torch.dtype) -> None:
        import torch

        for short, full in self.parameters.items():
            own = values[full].to(dtype=dtype, copy=True).contiguous()
            setattr(base, short, torch.nn.Parameter(own, requires_grad=False))

    def _split_again(self, base: Any, values: Mapping[str, Tensor], split: str) -> dict[str, Tensor]:
        """What the adapter's start left of the base weights; the adapter itself stays as it is."""
        import torch

        self._give(base, values, getattr(torch, _SPLIT_IN))
        factors = [self.layer.lora_A["default"], self.layer.lora_B["default"]]
        trained = [factor.weight.data for factor in factors]
        if split == "olora":
            self.layer.olora_init("default")
        else:
            self.layer.pissa_init("default", split)
        for factor, data in zip(factors, trained, strict=True):
            factor.weight.data = data
        return {full: getattr(base, short).data for short, full in self.parameters.items()}


def adapted_layers(attached: Any, split: str | None = None) -> list[AdaptedLayer]:
    """Every layer in which an adapter changes base weights, in the model's order.

    Args:
        attached: The model with the adapter beside its weights.
        split: How the base weights are to be split first (``split_of``); None: not, or it was done.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = []
    for path, layer in attached.named_modules():
        if not isinstance(layer, BaseTunerLayer):
            continue
        name = without_wrappers(path.removeprefix(PREFIX))
        only = getattr(layer, "parameter_name", None)
        own = [short for short, _ in layer.get_base_layer().named_parameters(recurse=False)]
        parameters = {short: f"{name}.{short}" for short in own if only in (None, short)}
        has_factors = "default" in getattr(layer, "lora_A", ())
        found.append(AdaptedLayer(name, layer, parameters, split if has_factors else None))
    return found


def saved_parameters(attached: Any) -> dict[str, Tensor]:
    """Whole parameters that the adapter brings in place of the base model's (``modules_to_save``)."""
    from peft.utils import ModulesToSaveWrapper

    found: dict[str, Tensor] = {}
    for path, module in attached.named_modules():
        if isinstance(module, ModulesToSaveWrapper):
            copy = module.modules_to_save["default"]
            name = without_wrappers(path.removeprefix(PREFIX))
            found |= {f"{name}.{part}": tensor.data for part, tensor in copy.named_parameters()}
    return found


@contextlib.contextmanager
def _factors_in(layer: Any, dtype: torch.dtype) -> Iterator[None]:
    """The adapter's own tensors in a precision, and as they were afterwards."""
    base = layer.get_base_layer()
    theirs = {id(parameter) for parameter in base.parameters()}
    own = [
        tensor
        for tensor in [*layer.parameters(), *layer.buffers()]
        if id(tensor) not in theirs and tensor.is_floating_point()
    ]
    before = [tensor.data for tensor in own]
    try:
        for tensor in own:
            tensor.data = tensor.data.to(dtype)
        yield
    finally:
        for tensor, data in zip(own, before, strict=True):
            tensor.data = data


def split_of(config: Mapping[str, Any]) -> str | None:
    """How an adapter's start split the base weights (``init_lora_weights``); None where it left them alone.

    Args:
        config: ``adapter_config.json``.

    Raises:
        FlextuneError: In a way that cannot be repeated.
    """
    start = config.get("init_lora_weights")
    start = start.lower() if isinstance(start, str) else ""
    for prefix, reason in _UNREPEATABLE.items():
        if start.startswith(prefix):
            raise FlextuneError(
                f"init_lora_weights {start!r}: {reason}, so that it cannot be merged from files; convert it"
                " to plain LoRA with PEFT (path_initial_model_for_weight_conversion)"
            )
    return start if start in _SPLITS else None
