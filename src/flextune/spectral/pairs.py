"""The LoRA matrices of a model or of a saved adapter, and which tensors a penalty can take.

Works from names alone (``<module>.lora_A[.<adapter>].weight``, as PEFT has them), so that it needs
no PEFT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from flextune.lora_methods import other_update, start_in_base
from flextune.lora_names import PREFIX, parse_lora_name


@dataclass(frozen=True, eq=False)
class LoraPair:
    """The two matrices of one adapter in one module; its update is ``scale * b @ a``.

    Attributes:
        a: Down-projection, shape ``(rank, in)``; a convolution's has further dimensions.
        b: Up-projection, shape ``(out, rank)``.
        scale: ``alpha / rank``.
        name: Of the module, for errors and tables.
        experts: Blocks that a and b hold side by side (a mixture's experts); their update is no ``b @ a``.
        module: What several adapters share that act on one module; None: this pair acts alone.
        start: a and b where training began, for starts that were taken out of the base weights (PiSSA, OLoRA)
            and penalties of the change: the model has changed by ``scale * (b @ a - start_b @ start_a)``.
            None: it has changed by the update.

    Raises:
        ValueError: Not a pair of matrices, or their ranks differ.
    """

    a: Tensor
    b: Tensor
    scale: float = 1.0
    name: str = "pair"
    experts: int = 1
    module: str | None = None
    start: tuple[Tensor, Tensor] | None = None

    def __post_init__(self) -> None:
        for factor, matrix in (("A", self.a), ("B", self.b)):
            if matrix.ndim < 2:
                raise ValueError(
                    f"{self.name} (lora_{factor}): shape {tuple(matrix.shape)} is no matrix (a flattened or"
                    " partitioned parameter? gather it first)"
                )
        if self.a.shape[0] != self.b.shape[1]:
            raise ValueError(
                f"{self.name}: A of shape {tuple(self.a.shape)} and B of shape {tuple(self.b.shape)} differ"
                " in rank"
            )

    def starting_here(self) -> LoraPair:
        """The pair with what it is now as its start; one that has a start keeps it."""
        if self.start is not None:
            return self
        return replace(self, start=(self.a.detach().clone(), self.b.detach().clone()))

    def factors(self) -> Iterator[tuple[str, Tensor]]:
        """``("A", a)`` and ``("B", b)``."""
        yield "A", self.a
        yield "B", self.b


def lora_pairs(
    source: nn.Module | Mapping[str, Tensor], *, scale: float = 1.0, trainable: bool = True
) -> list[LoraPair]:
    """Every LoRA pair of a model, or of an adapter's tensors by name, in their order.

    Call it after whatever replaces parameters (``fully_shard``, ``accelerator.prepare``): a pair holds
    the tensors themselves. Call it before training, too: where a start takes A and B out of the base weights
    (PiSSA, OLoRA, CorDA, LoRA-GA, LoftQ), what they are now is copied as ``LoraPair.start``. What is no
    LoRA matrix is passed over.

    Args:
        source: A model with PEFT adapters, or PEFT's names to tensors.
        scale: ``alpha / rank`` where the source does not say; a PEFT layer does.
        trainable: Leave out pairs that a model does not train, or that are not active.

    Raises:
        ValueError: No LoRA matrix; one without its partner; one that is no finite real matrix; or an adapter
            whose update is not ``scale * B A`` (AdaLoRA and other methods), by its name.
    """
    is_model = isinstance(source, nn.Module)
    configs = _configs(source)
    factors_by_place = _factors(source)
    pairs = []
    for (path, adapter), factors in factors_by_place.items():
        name = path.removeprefix(PREFIX) or "lora"
        name = name if adapter == "default" else f"{name} ({adapter})"
        if len(factors) == 1:
            raise ValueError(f"{name}: lora_{next(iter(factors))} has no partner")
        layer = source.get_submodule(path) if isinstance(source, nn.Module) else None
        if is_model and trainable and not _trains(factors, layer, adapter):
            continue
        for factor, matrix in factors.items():
            require_real(f"{name} (lora_{factor})", matrix)
            require_finite(f"{name} (lora_{factor})", matrix)
        pairs.append(
            LoraPair(
                factors["A"],
                factors["B"],
                scale=_scale(layer, adapter, scale),
                name=name,
                experts=_experts(layer),
                module=path,
                start=_start(factors, configs.get(adapter)),
            )
        )
    if not pairs:
        frozen = f" that trains (of {len(factors_by_place)})" if factors_by_place else ""
        raise ValueError(f"no LoRA matrix found{frozen} (names hold .lora_A. and .lora_B.)")
    return pairs


def _configs(source: nn.Module | Mapping[str, Tensor]) -> Mapping[str, Any]:
    """PEFT's configuration of each of a model's adapters, all of LoRA; none where there are no such.

    Raises:
        ValueError: An adapter with another update than ``scale * B A``.
    """
    modules = source.modules() if isinstance(source, nn.Module) else ()
    found = (getattr(module, "peft_config", None) for module in modules)
    configs = next((each for each in found if isinstance(each, Mapping)), {})
    for adapter, config in configs.items():
        if (method := other_update(config)) is not None:
            raise ValueError(
                f"adapter {adapter!r}: {method}; penalties and spectra are of LoRA's A and B alone"
            )
    return configs


def _factors(source: nn.Module | Mapping[str, Tensor]) -> dict[tuple[str, str], dict[str, Tensor]]:
    """A and B by their module's path and their adapter's name."""
    tensors = source.named_parameters() if isinstance(source, nn.Module) else source.items()
    factors: dict[tuple[str, str], dict[str, Tensor]] = {}
    for name, tensor in tensors:
        parsed = parse_lora_name(name)
        if parsed and parsed.kind == "other":
            raise ValueError(
                f"{parsed.module or 'lora'} (lora_E): AdaLoRA, whose update is B diag(E) A over its ranks;"
                " penalties and spectra are of LoRA's A and B alone"
            )
        if parsed and parsed.factor and parsed.kind in ("matrix", "embedding"):
            factors.setdefault((parsed.path, parsed.adapter), {})[parsed.factor] = tensor
    return factors


def require_real(name: str, tensor: Tensor) -> None:
    """Refuse a tensor whose spectrum means nothing.

    Raises:
        ValueError: Meta, empty, sparse, complex, integer or quantised, by its name.
    """
    if tensor.is_meta:
        raise ValueError(f"{name}: is on the meta device, without values; load its weights first")
    if tensor.is_complex():
        raise ValueError(f"{name}: is complex ({tensor.dtype}); the penalty is of real matrices")
    if tensor.is_quantized or not tensor.is_floating_point() or tensor.dtype.itemsize == 1:
        raise ValueError(
            f"{name}: is quantised or integer ({tensor.dtype}); the penalty is of floating-point matrices"
        )
    if tensor.layout != torch.strided:
        raise ValueError(f"{name}: is sparse ({tensor.layout}); the penalty is of dense matrices")
    if tensor.numel() == 0:
        raise ValueError(f"{name}: is empty (a partitioned parameter? gather it first)")


def require_finite(name: str, tensor: Tensor) -> None:
    """Refuse NaN and infinity; waits for the tensor's device.

    Raises:
        ValueError: By its name.
    """
    if not torch.isfinite(tensor.detach()).all().item():
        raise ValueError(f"{name}: holds NaN or infinity")


def _trains(factors: Mapping[str, Tensor], layer: Any, adapter: str) -> bool:
    """Whether a factor trains, and the adapter takes part in what the model computes."""
    active = getattr(layer, "active_adapters", None)
    acts = not isinstance(active, Sequence) or adapter in active
    return acts and any(matrix.requires_grad for matrix in factors.values())


def _start(factors: Mapping[str, Tensor], config: Any) -> tuple[Tensor, Tensor] | None:
    """Copies of A and B, where they hold a part of the base weights."""
    if config is None or start_in_base(config) is None:
        return None
    return factors["A"].detach().clone(), factors["B"].detach().clone()


def _scale(layer: Any, adapter: str, default: float) -> float:
    scaling = getattr(layer, "scaling", None)
    return float(scaling[adapter]) if isinstance(scaling, dict) and adapter in scaling else default


def _experts(layer: Any) -> int:
    experts = getattr(layer, "num_experts", 1)
    return experts if isinstance(experts, int) else 1
