"""A LoRA folder as files: its matrices, their ranks and scales, and what else lies in it.

Needs neither PEFT nor the base model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.lora_methods import other_update, start_in_base
from flextune.lora_names import adapted_module, parse_lora_name, without_wrappers
from flextune.models.adapter_folder import CONFIG, open_adapter

if TYPE_CHECKING:
    from torch import Tensor

_KINDS = {"embedding": "embeddings", "magnitude": "DoRA magnitudes", "bias": "biases"}


@dataclass(frozen=True)
class LoraSettings:
    """What ``adapter_config.json`` says about the size of the update.

    Attributes:
        rank: Of every module that ``rank_pattern`` does not name.
        alpha: Likewise.
        rank_pattern: Regular expression of a module's name, or of its end at a dot, to rank.
        alpha_pattern: Likewise, to alpha.
        rslora: Scale by ``alpha / sqrt(rank)`` (arXiv:2312.03732) instead of ``alpha / rank``.
        parameters: Parameters (a mixture's stacked experts) that are adapted without a module of their own,
            by their full names or the ends of those.
    """

    rank: int
    alpha: float
    rank_pattern: Mapping[str, int]
    alpha_pattern: Mapping[str, float]
    rslora: bool
    parameters: tuple[str, ...]

    def rank_of(self, module: str) -> int:
        """The rank of one module."""
        return int(_matching(self.rank_pattern, self.target_of(module), self.rank))

    def scale_of(self, module: str) -> float:
        """The number that multiplies ``B A`` there."""
        rank = self.rank_of(module)
        alpha = _matching(self.alpha_pattern, self.target_of(module), self.alpha)
        return alpha / (math.sqrt(rank) if self.rslora else rank)

    def target_of(self, module: str) -> str:
        """What PEFT adapted there: the module, or a parameter of it where that is known.

        Wrappers of several parameters of one module nest as ``<module>.base_layer.base_layer``; as PEFT's own
        conversion of older adapters has it, that of ``gate_up_proj`` is inside that of ``down_proj``.
        """
        owner = without_wrappers(module)
        names = sorted(name for name in self._parameters_of(owner) if name)
        if len(names) > 1 and names not in (["down_proj", "gate_up_proj"], ["down_proj", "up_proj"]):
            return module
        depth = module[len(owner) :].count(".base_layer")
        return f"{owner}.{names[depth]}" if depth < len(names) else module

    def is_stacked(self, module: str) -> bool:
        """Whether the configuration names parameters of a module, which may hold several experts."""
        return bool(self._parameters_of(without_wrappers(module)))

    def _parameters_of(self, owner: str) -> set[str]:
        """Last names of the adapted parameters that are this module's own."""
        split = [name.rpartition(".") for name in self.parameters]
        # PEFT's conversion of older adapters gives last names alone; they are of modules called "experts".
        return {last for path, _, last in split if f".{owner}".endswith(f".{path or 'experts'}")}


@dataclass(frozen=True, eq=False)
class LoraFiles:
    """A LoRA folder in memory, on the CPU.

    Attributes:
        folder: Where it lies.
        base_model: What it says it was made for.
        settings: Ranks and scales.
        matrices: PEFT's names (``<module>.lora_A.weight``) to the factors of linear modules.
        passed_over: What else it holds, by kind: names of modules.
        start: How it was started, where its matrices hold a part of the base weights (``pissa``); else None.
    """

    folder: Path
    base_model: str | None
    settings: LoraSettings
    matrices: Mapping[str, Tensor]
    passed_over: Mapping[str, tuple[str, ...]]
    start: str | None = None

    def experts(self, module: str, rows: int) -> int:
        """How many experts share the ``rows`` of a module's A: 1, but for stacked parameters.

        Raises:
            FlextuneError: The matrix has another rank than the configuration says.
        """
        rank = self.settings.rank_of(module)
        if rows == rank:
            return 1
        if rows % rank == 0 and self.settings.is_stacked(module):
            return rows // rank
        raise FlextuneError(
            f"{self.folder}: {module} (lora_A) has rank {rows}, {CONFIG} says {rank}; its scale is unknown"
        )


def read_lora_files(folder: Path | str) -> LoraFiles:
    """Read a LoRA folder.

    Raises:
        FlextuneError: No adapter there, another method than LoRA, a setting that makes no sense, or a
            damaged file.
    """
    adapter = open_adapter(folder)
    settings = _settings(adapter.config, adapter.path / CONFIG)
    matrices: dict[str, Tensor] = {}
    passed_over: dict[str, dict[str, None]] = {}
    for name, tensor in adapter.tensors(_is_matrix).items():
        if tensor is not None and tensor.ndim <= 2:
            matrices[name] = tensor
        else:
            kind = _kind(name) if tensor is None else "convolutions"
            passed_over.setdefault(kind, {})[adapted_module(name)] = None
    return LoraFiles(
        folder=adapter.path,
        base_model=adapter.base_model,
        settings=settings,
        matrices=matrices,
        passed_over={kind: tuple(names) for kind, names in passed_over.items()},
        start=start_in_base(adapter.config),
    )


def _is_matrix(name: str) -> bool:
    parsed = parse_lora_name(name)
    return parsed is not None and parsed.kind == "matrix"


def _kind(name: str) -> str:
    parsed = parse_lora_name(name)
    return _KINDS.get(parsed.kind, "other tensors") if parsed else "whole weights"


def _settings(config: Mapping[str, Any], file: Path) -> LoraSettings:
    if (method := other_update(config)) is not None:
        raise FlextuneError(f"{file}: the adapter is {method}; only LORA has an update scale * B A")
    try:
        return LoraSettings(
            rank=_positive(config["r"], int),
            alpha=_positive(config["lora_alpha"], float),
            rank_pattern={_regex(k): _positive(v, int) for k, v in _items(config, "rank_pattern")},
            alpha_pattern={_regex(k): _positive(v, float) for k, v in _items(config, "alpha_pattern")},
            rslora=bool(config.get("use_rslora")),
            parameters=tuple(map(str, config.get("target_parameters") or ())),
        )
    except KeyError as error:
        raise FlextuneError(f"{file}: no {error.args[0]!r}; the update's scale is unknown") from None
    except (TypeError, ValueError, AttributeError, re.error) as error:
        raise FlextuneError(f"{file}: a setting of the adapter makes no sense ({error})") from None


def _items(config: Mapping[str, Any], key: str) -> Any:
    return (config.get(key) or {}).items()


def _positive(value: Any, kind: Callable[[Any], Any]) -> Any:
    number = kind(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{value} is not above 0")
    return number


def _regex(text: str) -> str:
    re.compile(text)
    return text


def _matching(pattern: Mapping[str, float], target: str, default: float) -> float:
    """The value of the first expression that matches the name, or its end at a dot, as in PEFT."""
    return next((v for key, v in pattern.items() if re.match(rf"(.*\.)?({key})$", target)), default)
