"""A model's weight files: which tensors they hold, read one at a time."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.errors import FlextuneError
from flextune.models import four_bit
from flextune.models.four_bit import FourBit
from flextune.models.merging.tensor_files import TensorPlace, read_places, read_tensor

if TYPE_CHECKING:
    from torch import Tensor

#: Names of index and weight files, the first that is there counts, as in transformers.
_FILES = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a model folder.

    Attributes:
        folder: The folder.
        places: Names to places, file by file, in the order of their bytes. A weight in four bits has the
            shape
            and the type that it has once it is read.
        stored: What the files hold: the same, and the tensors beside each weight in four bits.
        metadata: Text that the files carry.
    """

    folder: Path
    places: Mapping[str, TensorPlace]
    stored: Mapping[str, TensorPlace]
    metadata: Mapping[str, str]

    @property
    def four_bit(self) -> FourBit | None:
        """The 16 values of weights that are kept in four bits; None where none is."""
        kinds = (kind for name in self.stored for kind in four_bit.KINDS if name.endswith(f"__{kind}"))
        return next(kinds, None) if len(self.stored) > len(self.places) else None

    def files(self) -> dict[Path, list[str]]:
        """Weight files to names of their tensors."""
        found: dict[Path, list[str]] = {}
        for name, place in self.places.items():
            found.setdefault(place.file, []).append(name)
        return found

    def read(self, name: str) -> Tensor:
        """A tensor, in memory of its own; a weight in four bits is dequantised to float32.

        Raises:
            FlextuneError: The file cannot be read, or is damaged.
        """
        tensor = _read(self.stored[name], name)
        state_name = four_bit.state_of(name, self.stored)
        if state_name is None:
            return tensor
        place = self.stored[state_name]
        state = four_bit.read_state(_read(place, state_name), f"{place.file}: {state_name}")
        parts = {part: f"{name}.{part}" for part in four_bit.SIDE_TENSORS}
        side = {part: _read(self.stored[full], full) for part, full in parts.items() if full in self.stored}
        return four_bit.dequantized(tensor, state, side)


def open_checkpoint(folder: Path) -> Checkpoint:
    """The weight files of a model folder.

    Raises:
        FlextuneError: There are none, or one is missing or damaged.
    """
    stored: dict[str, TensorPlace] = {}
    metadata: dict[str, str] = {}
    for file in _weight_files(folder):
        places, notes = _pickled_places(file) if file.suffix == ".bin" else read_places(file)
        stored |= places
        metadata |= notes
    shown = {n: _as_read(n, stored) for n in stored if not four_bit.is_side_tensor(n)}
    return Checkpoint(folder, shown, stored, metadata)


def _as_read(name: str, stored: Mapping[str, TensorPlace]) -> TensorPlace:
    """A tensor's place, with the shape and type that it has once it is read."""
    import torch

    place, state_name = stored[name], four_bit.state_of(name, stored)
    if state_name is None:
        return place
    state = four_bit.read_state(_read(stored[state_name], state_name), f"{place.file}: {state_name}")
    kept = getattr(torch, str(state.get("dtype", "float32")), torch.float32)
    return TensorPlace(place.file, kept, tuple(int(n) for n in state["shape"]))  # type: ignore[attr-defined]


def _read(place: TensorPlace, name: str) -> Tensor:
    return _pickled(place.file)[name].clone() if place.file.suffix == ".bin" else read_tensor(place)


def _weight_files(folder: Path) -> Iterable[Path]:
    for single, index in _FILES:
        if (folder / index).is_file():
            return _indexed(folder, folder / index)
        if (folder / single).is_file():
            return [folder / single]
    raise FlextuneError(f"{folder}: no model.safetensors; the model's weights are missing")


def _indexed(folder: Path, index: Path) -> list[Path]:
    try:
        names = json.loads(index.read_bytes())["weight_map"].values()
        files = [folder / name for name in dict.fromkeys(names)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FlextuneError(f"{index}: not an index of weight files; fetch the model again") from None
    for file in files:
        if not file.is_file():
            raise FlextuneError(f"{index}: {file.name} is missing; fetch the model again")
    return sorted(files)


def _pickled_places(file: Path) -> tuple[dict[str, TensorPlace], dict[str, str]]:
    tensors = _pickled(file)
    return {name: TensorPlace(file, each.dtype, tuple(each.shape)) for name, each in tensors.items()}, {}


def _pickled(file: Path) -> dict[str, Tensor]:
    """The tensors of a ``.bin`` file, mapped into memory: what is not asked for is not read."""
    import torch

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FlextuneError(f"{file}: a weight file is damaged ({reason}); fetch the model again") from None
    return {name: each for name, each in tensors.items() if isinstance(each, torch.Tensor)}
