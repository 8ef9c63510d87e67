"""A merged model folder: from safetensors to safetensors, a tensor at a time, there in full or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.files.objects import write_object
from flextune.models.merging.adapted import AdaptedFiles
from flextune.models.merging.companions import write_companions
from flextune.models.merging.rounding import Rounding
from flextune.models.merging.tensor_files import TensorWriter, tensor_bytes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Called with (tensors written, tensors in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Output:
    """A tensor that will be written.

    Attributes:
        name: In the file.
        parameters: Of the model, that it is a part of.
        dtype: Its type there.
        shape: Its shape.
    """

    name: str
    parameters: tuple[str, ...]
    dtype: torch.dtype
    shape: tuple[int, ...]


def write_merged(
    model: AdaptedFiles,
    folder: Path,
    *,
    dtype: torch.dtype | None = None,
    rounding: Rounding | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the model with the adapter in its weights, computed in float32 and rounded once.

    One tensor is in memory at a time (of a mixture's experts, the stack of one layer).

    Args:
        model: Base model and adapter.
        folder: Made here; write into a folder of ``appearing`` to have all or nothing.
        dtype: Of all floating tensors; None: each keeps the base model's.
        rounding: How the changed tensors are rounded; None: to the nearest.
        progress: Told of every tensor.

    Raises:
        FlextuneError: What ``AdaptedFiles.merged`` raises, or a value too large for the type.
        OSError: It cannot be written, a full disk for example.
    """
    untied = _untied(model)
    shards = _shards(model, dtype, untied)
    total = sum(map(len, shards.values()))
    folder.mkdir(parents=True, exist_ok=True)
    write = _Writer(model, rounding or Rounding(), progress, total)
    for file, outputs in shards.items():
        write.shard(folder / file, outputs)
    if len(shards) > 1:
        _write_index(folder, shards)
    write_companions(model, folder, dtype, untied=bool(untied))


def merged_size(model: AdaptedFiles, dtype: torch.dtype | None) -> int:
    """Bytes that the weights of the merged model take, about."""
    places = model.files.checkpoint.places.values()
    return sum(tensor_bytes(place.shape, _dtype_of(place.dtype, dtype)) for place in places)


@contextlib.contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes its place at the end, or vanishes.

    Raises:
        FlextuneError: There is something at the place already, or the folder cannot be made.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FlextuneError(f"{folder}: there is something in it already; choose another folder")
    if folder.exists() and not folder.is_dir():
        raise FlextuneError(f"{folder}: a file; choose another folder")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        partial.replace(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FlextuneError(f"{folder}: cannot be written ({reason}); nothing is left of it") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _Writer:
    """Writes shards; of a mixture's experts it keeps what belongs into a later one."""

    def __init__(
        self, model: AdaptedFiles, rounding: Rounding, progress: Progress | None, total: int
    ) -> None:
        self._model, self._rounding, self._progress, self._total = model, rounding, progress, total
        self._ready: dict[str, Tensor] = {}
        self._done = 0

    def shard(self, file: Path, outputs: list[_Output]) -> None:
        tensors = [(output.name, output.dtype, output.shape) for output in outputs]
        with TensorWriter(file, tensors, self._model.files.checkpoint.metadata) as writer:
            for output in outputs:
                writer.write(output.name, self._value(output))
                self._done += 1
                if self._progress:
                    self._progress(self._done, self._total)

    def _value(self, output: _Output) -> Tensor:
        model, files = self._model, self._model.files
        is_stored = output.name in files.checkpoint.places
        if is_stored and all(map(model.is_as_in_files, output.parameters)):
            value = files.checkpoint.read(output.name)
            return (
                self._rounding.nearest(value, output.dtype, output.name)
                if value.is_floating_point()
                else value
            )
        if output.name not in self._ready:
            self._ready |= self._merged(output)
        return self._rounding.of(self._ready.pop(output.name), output.dtype, output.name)

    def _merged(self, output: _Output) -> dict[str, Tensor]:
        import torch

        values = {name: self._model.merged(name, torch.float32) for name in output.parameters}
        group = self._model.files.group_of.get(output.parameters[0])
        if group is None or output.name not in group.files:
            return {output.name: values[output.parameters[0]]}
        return self._model.files.to_files(group, values)


def _shards(
    model: AdaptedFiles, dtype: torch.dtype | None, untied: Sequence[str]
) -> dict[str, list[_Output]]:
    """File names to the tensors in them, the widest types first so that all are aligned."""
    checkpoint = model.files.checkpoint
    parameters = {name: group.parameters for group in model.files.group_of.values() for name in group.files}
    shards: dict[str, list[_Output]] = {}
    files = checkpoint.files()
    for number, (file, names) in enumerate(files.items(), start=1):
        name = file.name if file.suffix == ".safetensors" else _shard_name(number, len(files))
        shards[name] = []
        for tensor in names:
            place, made = checkpoint.places[tensor], parameters[tensor]
            kind = _dtype_of(place.dtype, dtype)
            shards[name].append(_Output(tensor, made, kind, place.shape))
    for parameter in (name for name in untied if name not in model.files.group_of):
        source = model.files.source(parameter)
        place = checkpoint.places[next(iter(model.files.group_of[source].files))]
        shard = next(name for name, rows in shards.items() if any(source in row.parameters for row in rows))
        shards[shard].append(_Output(parameter, (parameter,), _dtype_of(place.dtype, dtype), place.shape))
    return {name: sorted(rows, key=lambda row: -row.dtype.itemsize) for name, rows in shards.items()}


def _untied(model: AdaptedFiles) -> list[str]:
    """Tied parameters that are no longer equal to those that they are tied to."""
    import torch

    apart = []
    for name, owner in model.files.tied.items():
        if not (model.changes(name) or model.changes(owner)):
            continue
        first, second = model.merged(owner, torch.float32), model.merged(name, torch.float32)
        if not torch.equal(first, second):
            apart.append(name)
    return apart


def _dtype_of(stored: torch.dtype, wanted: torch.dtype | None) -> torch.dtype:
    return wanted if wanted is not None and stored.is_floating_point else stored


def _shard_name(number: int, count: int) -> str:
    return "model.safetensors" if count == 1 else f"model-{number:05}-of-{count:05}.safetensors"


def _write_index(folder: Path, shards: dict[str, list[_Output]]) -> None:
    rows = [(row, file) for file, outputs in shards.items() for row in outputs]
    index: dict[str, Any] = {
        "metadata": {"total_size": sum(tensor_bytes(row.shape, row.dtype) for row, _ in rows)},
        "weight_map": {row.name: file for row, file in sorted(rows, key=lambda item: item[0].name)},
    }
    write_object(folder / "model.safetensors.index.json", index)
