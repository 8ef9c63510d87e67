"""A LoRA folder in PEFT's format as files: its matrices, their scales, and what else lies in it.

Asks for neither PEFT nor the base model, so that folders which others trained, with other versions, can be
read. What the matrices hold (NaN, quantised values) is for the reader of the numbers to judge.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "adapter_config.json"
SAFETENSORS, PICKLED = "adapter_model.safetensors", "adapter_model.bin"

_PREFIX = "base_model.model."
_FACTOR = re.compile(r"(?:.+\.)?lora_[AB](?:\.(?!bias$)[^.]+)*")
#: What is no LoRA matrix of a linear module, by a part of its name.
_OTHERS = {
    ".lora_embedding_": "embeddings",
    ".lora_magnitude_vector": "DoRA magnitudes",
    ".lora_B.bias": "biases",
}


@dataclass(frozen=True)
class LoraSettings:
    """What ``adapter_config.json`` says about the size of the update.

    Attributes:
        rank: Of every module that ``rank_pattern`` does not name.
        alpha: Likewise.
        rank_pattern: Regular expression of a module's name, or of its end at a dot, to rank.
        alpha_pattern: Likewise, to alpha.
        rslora: Scale by ``alpha / sqrt(rank)`` (arXiv:2312.03732) instead of ``alpha / rank``.
        parameters: Parameters (a mixture's stacked experts) that are adapted without a module of their own.
    """

    rank: int
    alpha: float
    rank_pattern: Mapping[str, int]
    alpha_pattern: Mapping[str, float]
    rslora: bool
    parameters: tuple[str, ...]

    def rank_of(self, module: str) -> int:
        """The rank of one module."""
        return int(_matching(self.rank_pattern, module, self.rank))

    def scale_of(self, module: str) -> float:
        """The number that multiplies ``B A`` there."""
        rank = self.rank_of(module)
        return _matching(self.alpha_pattern, module, self.alpha) / (math.sqrt(rank) if self.rslora else rank)


@dataclass(frozen=True, eq=False)
class AdapterFiles:
    """A LoRA folder in memory, on the CPU.

    Attributes:
        folder: Where it lies.
        base_model: What it says it was made for.
        settings: Ranks and scales.
        matrices: PEFT's names (``<module>.lora_A.weight``) to the factors of linear modules.
        passed_over: What else it holds, by kind: names of modules.
    """

    folder: Path
    base_model: str | None
    settings: LoraSettings
    matrices: Mapping[str, Tensor]
    passed_over: Mapping[str, tuple[str, ...]]

    def experts(self, module: str, rows: int) -> int:
        """How many experts share the ``rows`` of a module's A: 1, but for stacked parameters.

        Raises:
            FlextuneError: The matrix has another rank than the configuration says.
        """
        rank = self.settings.rank_of(module)
        if rows == rank:
            return 1
        owners = {name.rpartition(".")[0] for name in self.settings.parameters}
        if rows % rank == 0 and any(module == owner or module.endswith(f".{owner}") for owner in owners):
            return rows // rank
        raise FlextuneError(
            f"{self.folder}: {module} (lora_A) has rank {rows}, {CONFIG} says {rank}; its scale is unknown"
        )


def read_adapter_files(folder: Path | str) -> AdapterFiles:
    """Read a LoRA folder; weights in ``adapter_model.bin`` are read without running any code in it.

    Raises:
        FlextuneError: No adapter there, another method than LoRA, a setting that makes no sense, or a
            damaged file.
    """
    folder = Path(folder).expanduser()
    config = _read_config(folder)
    settings = _settings(config, folder / CONFIG)
    loaded, other = _read_tensors(folder)
    matrices: dict[str, Tensor] = {}
    passed_over: dict[str, dict[str, None]] = {}
    for name, tensor in loaded.items():
        if tensor.ndim > 2:
            passed_over.setdefault("convolutions", {})[_module(name)] = None
        else:
            matrices[name] = tensor
    for name in other:
        kind = next((kind for part, kind in _OTHERS.items() if part in name), "whole weights")
        passed_over.setdefault(kind, {})[_module(name)] = None
    base = config.get("base_model_name_or_path")
    return AdapterFiles(
        folder=folder,
        base_model=base if isinstance(base, str) else None,
        settings=settings,
        matrices=matrices,
        passed_over={kind: tuple(names) for kind, names in passed_over.items()},
    )


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / CONFIG
    if not folder.is_dir():
        raise FlextuneError(f"{folder}: no such folder")
    try:
        config = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise FlextuneError(f"{folder}: no {CONFIG}; it is not an adapter folder") from None
    except OSError as error:
        raise FlextuneError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise FlextuneError(f"{file}: not a JSON object; fetch the adapter again")
    return config


def _settings(config: Mapping[str, Any], file: Path) -> LoraSettings:
    method = config.get("peft_type")
    if method != "LORA":
        raise FlextuneError(f"{file}: peft_type {method!r}; only LORA has an update B A")
    try:
        return LoraSettings(
            rank=_positive(config["r"], int),
            alpha=_positive(config["lora_alpha"], float),
            rank_pattern={_regex(k): _positive(v, int) for k, v in _mapping(config, "rank_pattern")},
            alpha_pattern={_regex(k): _positive(v, float) for k, v in _mapping(config, "alpha_pattern")},
            rslora=bool(config.get("use_rslora")),
            parameters=tuple(map(str, config.get("target_parameters") or ())),
        )
    except KeyError as error:
        raise FlextuneError(f"{file}: no {error.args[0]!r}; the update's scale is unknown") from None
    except (TypeError, ValueError, AttributeError, re.error) as error:
        raise FlextuneError(f"{file}: a setting of the adapter makes no sense ({error})") from None


def _mapping(config: Mapping[str, Any], key: str) -> Any:
    return (config.get(key) or {}).items()


def _positive(value: Any, kind: Callable[[Any], Any]) -> Any:
    number = kind(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{value} is not above 0")
    return number


def _regex(text: str) -> str:
    re.compile(text)
    return text


def _matching(pattern: Mapping[str, float], module: str, default: float) -> float:
    """The value of the first expression that matches the module's name, or its end at a dot, as in PEFT."""
    return next((v for key, v in pattern.items() if re.match(rf"(.*\.)?({key})$", module)), default)


def _read_tensors(folder: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Tensors with the names of LoRA matrices, and the names of the others."""
    if (folder / SAFETENSORS).is_file():
        return _read_safetensors(folder / SAFETENSORS)
    if (folder / PICKLED).is_file():
        return _read_pickled(folder / PICKLED)
    raise FlextuneError(f"{folder}: no {SAFETENSORS}; the adapter's weights are missing")


def _read_safetensors(file: Path) -> tuple[dict[str, Tensor], list[str]]:
    from safetensors import SafetensorError, safe_open

    try:
        # One by one: whole embeddings saved beside an adapter are many times its size.
        with safe_open(file, framework="pt", device="cpu") as opened:
            names = list(opened.keys())
            matrices = {name: opened.get_tensor(name) for name in names if _FACTOR.fullmatch(name)}
    except (SafetensorError, OSError, ValueError) as error:
        raise FlextuneError(f"{file}: the adapter's weights are damaged ({error})") from None
    return matrices, [name for name in names if name not in matrices]


def _read_pickled(file: Path) -> tuple[dict[str, Tensor], list[str]]:
    import torch

    try:
        held = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise FlextuneError(
            f"{file}: holds more than tensors, or is damaged, and is not read; save it as {SAFETENSORS}"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FlextuneError(f"{file}: the adapter's weights are damaged ({reason})") from None
    if not isinstance(held, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in held.values()):
        raise FlextuneError(f"{file}: holds something else than names and tensors")
    matrices = {name: tensor for name, tensor in held.items() if _FACTOR.fullmatch(name)}
    return matrices, [name for name in held if name not in matrices]


def _module(name: str) -> str:
    """The module that a tensor belongs to."""
    name = name.removeprefix(_PREFIX)
    module, mark, _ = name.partition(".lora_")
    return module if mark else name.rpartition(".")[0] or name


def adapter_identity(folder: Path) -> str:
    """What an adapter from anywhere is: a digest of its files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("adapter_*")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
