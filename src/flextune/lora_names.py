"""The names that PEFT gives to a model's LoRA tensors, and what module names say about places in a model.

Text in, text out, so that ``spectral`` and ``optim``, which need torch alone, read names as ``models`` does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

#: What PEFT puts before the base model's own names.
PREFIX = "base_model.model."

_NAME = re.compile(
    r"(?:(?P<module>.+)\.)?(?P<part>lora_(?:[ABE]|embedding_[AB]|magnitude_vector))"
    r"(?:\.(?P<adapter>(?!weight$|bias$)[^.]+))?(?:\.(?P<leaf>weight|bias))?"
)
# What PEFT's wrappers call the module that they wrap, or its copy; wrappers around one module nest.
_WRAPPERS = re.compile(r"(?:\.(?:base_layer|original_module|token_adapter|modules_to_save(?:\.default)?))+$")

Factor = Literal["A", "B"]
Kind = Literal["matrix", "embedding", "bias", "magnitude", "other"]

_FACTORS: dict[str, Factor] = {
    "lora_A": "A",
    "lora_B": "B",
    "lora_embedding_A": "A",
    "lora_embedding_B": "B",
}


@dataclass(frozen=True)
class LoraName:
    """``base_model.model.<module>.lora_A[.<adapter>].weight``, taken apart.

    Attributes:
        path: The adapted module as the name has it, PEFT's prefix included.
        factor: ``A`` or ``B``; None for what belongs to neither.
        kind: ``matrix`` and ``embedding`` are factors of an update; ``bias`` is that of a factor,
            ``magnitude`` DoRA's, ``other`` AdaLoRA's E in ``B diag(E) A``.
        adapter: ``default`` where the name does not say, as in saved files.
    """

    path: str
    factor: Factor | None
    kind: Kind
    adapter: str

    @property
    def module(self) -> str:
        """The adapted module's name in the base model; empty for the model itself."""
        return self.path.removeprefix(PREFIX)


def parse_lora_name(name: str) -> LoraName | None:
    """The parts of a LoRA tensor's name; None for any other tensor."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    part = match["part"]
    kind: Kind = "magnitude" if part == "lora_magnitude_vector" else "other"
    if part in _FACTORS:
        kind = "embedding" if "embedding" in part else "matrix"
        kind = "bias" if match["leaf"] == "bias" else kind
    return LoraName(match["module"] or "", _FACTORS.get(part), kind, match["adapter"] or "default")


def lora_factor(name: str) -> Factor | None:
    """Whether a parameter is A's or B's, whatever wrappers of a trainer stand in its name."""
    return next((_FACTORS[part] for part in name.split(".") if part in _FACTORS), None)


def adapted_module(name: str) -> str:
    """The base model's module that any tensor of an adapter folder belongs to.

    ``base_model.model.lm_head.base_layer.weight`` belongs to ``lm_head``.
    """
    parsed = parse_lora_name(name)
    module = parsed.module if parsed else name.removeprefix(PREFIX).rpartition(".")[0] or name
    return without_wrappers(module)


def without_wrappers(module: str) -> str:
    """A module's name without what PEFT's wrappers add at its end, ``.base_layer`` for example."""
    return _WRAPPERS.sub("", module)


def layer_of(module: str) -> int | None:
    """The first number in a module's name; None outside of layers."""
    return next((int(part) for part in module.split(".") if part.isdecimal()), None)


def module_places(names: Iterable[str]) -> dict[str, tuple[int | None, str]]:
    """Layer and type of modules by full name: ``model.layers.3.mlp.up_proj`` is 3 and ``up_proj``.

    A type is the shortest end of a name without its numbers that no other type shares.
    """
    kinds = {name: tuple(part for part in name.split(".") if not part.isdecimal()) for name in names}
    types = set(kinds.values())
    ends = {kind: ".".join(shortest_end(kind, types)) for kind in types}
    return {name: (layer_of(name), ends[kind]) for name, kind in kinds.items()}


def shortest_end(parts: tuple[str, ...], everyone: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The fewest last parts that only one of ``everyone`` (``parts`` is among them) ends with, or all."""
    for length in range(1, len(parts)):
        if sum(other[-length:] == parts[-length:] for other in everyone) == 1:
            return parts[-length:]
    return parts
