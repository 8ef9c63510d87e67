"""The safetensors format, one tensor at a time: a file is never held in memory as a whole.

A file is the length of its header (8 bytes), the header (JSON: name to type, shape and place), and the
tensors' bytes one after the other (https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.files.whole import naming_errors

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: The format's names of types, those that torch knows.
_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
_LONGEST_HEADER = 100 * 2**20
#: Bytes written at a time.
_BLOCK = 64 * 2**20


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor lies.

    Attributes:
        file: The file.
        dtype: Its type.
        shape: Its shape.
        start: First byte in the file; 0 in a file of another format.
    """

    file: Path
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return tensor_bytes(self.shape, self.dtype)


def tensor_bytes(shape: Sequence[int], dtype: torch.dtype) -> int:
    """Bytes that a tensor takes."""
    return math.prod(shape) * dtype.itemsize


def read_places(file: Path) -> tuple[dict[str, TensorPlace], dict[str, str]]:
    """Names to places, in the order of their bytes, and the file's metadata.

    Raises:
        FlextuneError: The file cannot be read, is cut off, or holds a type that torch does not have.
    """
    try:
        with file.open("rb") as stream:
            length = struct.unpack("<Q", stream.read(8))[0]
            header = json.loads(stream.read(min(length, _LONGEST_HEADER)))
        metadata = header.pop("__metadata__", None) or {}
        places = {name: _place(file, name, row, 8 + length) for name, row in header.items()}
    except OSError as error:
        raise FlextuneError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, struct.error, AttributeError, KeyError, TypeError):
        raise FlextuneError(f"{file}: not a safetensors file; fetch the model again") from None
    end = max((place.start + place.size for place in places.values()), default=0)
    if file.stat().st_size < end:
        raise FlextuneError(f"{file}: cut off ({file.stat().st_size} of {end} bytes); fetch the model again")
    return dict(sorted(places.items(), key=lambda item: item[1].start)), metadata


def _place(file: Path, name: str, row: Mapping[str, Any], data: int) -> TensorPlace:
    import torch

    kind = row["dtype"]
    if kind not in _TYPES:
        raise FlextuneError(f"{file}: {name} has the type {kind}, which cannot be merged")
    start = int(row["data_offsets"][0])
    shape = tuple(int(length) for length in row["shape"])
    return TensorPlace(file, getattr(torch, _TYPES[str(kind)]), shape, data + start)


def read_tensor(place: TensorPlace) -> Tensor:
    """A tensor of a safetensors file, in memory of its own.

    Raises:
        FlextuneError: The file cannot be read, or has become shorter.
    """
    import torch

    data = bytearray(place.size)
    try:
        with place.file.open("rb") as stream:
            stream.seek(place.start)
            count = stream.readinto(data)
    except OSError as error:
        raise FlextuneError(f"{place.file}: cannot be read ({error.strerror})") from None
    if count != place.size:
        raise FlextuneError(f"{place.file}: cut off; fetch the model again")
    if not data:
        return torch.empty(place.shape, dtype=place.dtype)
    return torch.frombuffer(data, dtype=place.dtype).reshape(place.shape)


class TensorWriter:
    """Writes a safetensors file whose tensors come one at a time, in the order in which they are announced.

    Args:
        file: Written in place: put it into a folder that nobody reads yet.
        tensors: Names, types and shapes of all tensors that will come.
        metadata: Text by name.
    """

    def __init__(
        self,
        file: Path,
        tensors: Sequence[tuple[str, torch.dtype, tuple[int, ...]]],
        metadata: Mapping[str, str],
    ) -> None:
        names = {kind: name for name, kind in _TYPES.items()}
        header: dict[str, object] = {"__metadata__": {"format": "pt", **metadata}}
        position = 0
        for name, dtype, shape in tensors:
            size = TensorPlace(file, dtype, shape).size
            kind = names[str(dtype).removeprefix("torch.")]
            header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [position, position + size]}
            position += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        self._file, self._expected = file, list(tensors)
        self._stream = file.open("wb")
        self._write(struct.pack("<Q", len(text)) + text)

    def write(self, name: str, tensor: Tensor) -> None:
        """The next tensor.

        Raises:
            ValueError: Another one was announced.
            OSError: It cannot be written, a full disk for example; the error names the file.
        """
        import torch

        expected = self._expected.pop(0) if self._expected else None
        if expected != (name, tensor.dtype, tuple(tensor.shape)):
            raise ValueError(
                f"{name} {tensor.dtype} {tuple(tensor.shape)} comes where {expected} was announced"
            )
        data = memoryview(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
        for start in range(0, len(data), _BLOCK):
            self._write(data[start : start + _BLOCK])

    def close(self) -> None:
        """Make it durable.

        Raises:
            ValueError: A tensor that was announced did not come.
        """
        if self._expected:
            raise ValueError(f"{self._expected[0][0]} did not come")
        with naming_errors(self._file):
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def _write(self, data: bytes | memoryview) -> None:
        with naming_errors(self._file):
            self._stream.write(data)

    def __enter__(self) -> TensorWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.close()
        finally:
            self._stream.close()
