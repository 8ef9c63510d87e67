"""An adapter folder in PEFT's format as files: whether it can be used, its settings and its tensors.

Asks for neither PEFT nor the base model, so that folders which others trained, with other versions, can be
read. What the tensors hold (NaN, quantised values) is for the reader of the numbers to judge.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "adapter_config.json"
SAFETENSORS, PICKLED = "adapter_model.safetensors", "adapter_model.bin"

#: PEFT's methods that change single modules by rules of their own, so that generation and merging here
#: give what PEFT gives (``tests/models/test_peft_types.py``). Prompts and prefixes change the input instead,
#: and some others keep tensors outside of the modules that they adapt.
SUPPORTED_TYPES = frozenset(
    {
        "ADALORA",
        "BEFT",
        "BOFT",
        "C3A",
        "DEFT",
        "DELORA",
        "FOURIERFT",
        "GRALORA",
        "HIRA",
        "HRA",
        "IA3",
        "LOHA",
        "LOKR",
        "LORA",
        "MISS",
        "ROAD",
        "SHIRA",
        "TRAINABLE_TOKENS",
        "WAVEFT",
    }
)
#: Settings that change the model or its decoding, not the weights of its modules.
_UNSUPPORTED_SETTINGS = {
    "layer_replication": "it repeats layers of the base model",
    "alora_invocation_tokens": "it adapts only what follows certain tokens",
    "arrow_config": "it routes tokens among several adapters",
}


@dataclass(frozen=True)
class AdapterFolder:
    """A folder that holds a configuration and weights.

    Attributes:
        path: Where it lies.
        config: ``adapter_config.json``.
    """

    path: Path
    config: Mapping[str, Any]

    @property
    def method(self) -> str:
        """PEFT's name for what it does, ``LORA`` for example."""
        return str(self.config.get("peft_type"))

    @property
    def base_model(self) -> str | None:
        """What it says it was made for."""
        name = self.config.get("base_model_name_or_path")
        return name if isinstance(name, str) and name else None

    def tensors(self, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, Tensor | None]:
        """PEFT's names to tensors on the CPU; None for those that are not wanted.

        Weights in ``adapter_model.bin`` are read without running any code in it.

        Raises:
            FlextuneError: A damaged file, or one that holds more than tensors.
        """
        if (self.path / SAFETENSORS).is_file():
            return _read_safetensors(self.path / SAFETENSORS, wanted)
        return _read_pickled(self.path / PICKLED, wanted)


def open_adapter(folder: Path | str) -> AdapterFolder:
    """An adapter folder with its configuration read and its weights in place.

    Raises:
        FlextuneError: No such folder, no configuration or weights in it, or a configuration that is no JSON.
    """
    folder = Path(folder).expanduser()
    adapter = AdapterFolder(folder, _read_config(folder))
    if not any((folder / name).is_file() for name in (SAFETENSORS, PICKLED)):
        raise FlextuneError(f"{folder}: no {SAFETENSORS}: the adapter's weights are missing; fetch it again")
    return adapter


def usable_adapter(folder: Path | str) -> AdapterFolder:
    """An adapter folder that a model can generate with, beside its weights or merged into them.

    Raises:
        FlextuneError: As ``open_adapter``; or a method or setting of PEFT that is not supported, by its name.
    """
    adapter = open_adapter(folder)
    if adapter.method not in SUPPORTED_TYPES:
        raise FlextuneError(
            f"{adapter.path}: peft_type {adapter.method} is not supported"
            f" (supported: {', '.join(sorted(SUPPORTED_TYPES))})"
        )
    for setting, reason in _UNSUPPORTED_SETTINGS.items():
        if adapter.config.get(setting):
            raise FlextuneError(f"{adapter.path}: {setting} is not supported: {reason}")
    return adapter


def adapter_identity(folder: Path) -> str:
    """What an adapter from anywhere is: a digest of its files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("adapter_*")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / CONFIG
    if not folder.is_dir():
        raise FlextuneError(f"{folder}: no such folder")
    try:
        config = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise FlextuneError(f"{folder}: no {CONFIG}; it is not an adapter folder{_inside(folder)}") from None
    except OSError as error:
        raise FlextuneError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise FlextuneError(f"{file}: not a JSON object; fetch the adapter again")
    return config


def _inside(folder: Path) -> str:
    """Adapters in subfolders, where PEFT saves those that have a name of their own."""
    adapters = sorted(str(file.parent) for file in folder.glob(f"*/{CONFIG}"))
    return f", but it holds {', '.join(adapters)}: give that folder" if adapters else ""


def _read_safetensors(file: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor | None]:
    from safetensors import SafetensorError, safe_open

    try:
        # One by one: whole embeddings saved beside an adapter are many times its size.
        with safe_open(file, framework="pt", device="cpu") as opened:
            return {name: opened.get_tensor(name) if wanted(name) else None for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise FlextuneError(f"{file}: the adapter's weights are damaged ({error}); fetch it again") from None


def _read_pickled(file: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor | None]:
    import torch

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise FlextuneError(
            f"{file}: holds more than tensors, or is damaged, and is not read; save it as {SAFETENSORS}"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FlextuneError(f"{file}: the adapter's weights are damaged ({reason}); fetch it again") from None
    if not isinstance(tensors, dict) or not all(isinstance(each, torch.Tensor) for each in tensors.values()):
        raise FlextuneError(f"{file}: holds something else than names and tensors")
    return {name: tensor if wanted(name) else None for name, tensor in tensors.items()}
