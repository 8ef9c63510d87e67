"""A GGUF file (llama.cpp) as a merged model: its tensors by transformers' names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError, one_line
from flextune.models.gguf import need_gguf, without_bar
from flextune.models.merging.checkpoint import Checkpoint
from flextune.models.merging.tensor_files import TensorPlace

if TYPE_CHECKING:
    from torch import Tensor

#: GGUF's types that are torch's; all others are kinds of quantisation.
_PLAIN = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True)
class GgufCheckpoint(Checkpoint):
    """A GGUF file in memory.

    Attributes:
        quantized: Its kinds of quantisation; empty where all tensors are plain numbers.
        tensors: transformers' names to tensors, in the type that the file has; a quantised one is float32.
    """

    quantized: tuple[str, ...] = ()
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def read(self, name: str) -> Tensor:
        """A tensor."""
        return self.tensors[name]


def open_gguf(file: Path, skeleton: Any) -> GgufCheckpoint:
    """Read a GGUF file; unlike safetensors, all of it is in memory at once.

    Args:
        file: The file.
        skeleton: The base model without weights.

    Raises:
        FlextuneError: It cannot be read, or is of a model that transformers does not read from GGUF.
    """
    need_gguf(str(file))
    from gguf import GGUFReader
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    try:
        kinds = {tensor.tensor_type.name for tensor in GGUFReader(str(file)).tensors}
        with without_bar():
            loaded = load_gguf_checkpoint(str(file), return_tensors=True, model_to_load=skeleton)["tensors"]
    except (OSError, ValueError, KeyError, NotImplementedError, RuntimeError, IndexError) as error:
        raise FlextuneError(f"{file}: cannot be read as GGUF ({one_line(error)})") from error
    tensors = {name: _narrowest(tensor, kinds) for name, tensor in loaded.items()}
    places = {name: TensorPlace(file, each.dtype, tuple(each.shape)) for name, each in tensors.items()}
    quantized = tuple(sorted(kinds - set(_PLAIN)))
    return GgufCheckpoint(file, places, places, {}, quantized, tensors)


def _narrowest(tensor: Tensor, kinds: set[str]) -> Tensor:
    """A tensor in the narrowest of the file's types that holds it: transformers makes all of them float32."""
    import torch

    for kind in ("F16", "BF16"):
        narrow = tensor.to(getattr(torch, _PLAIN[kind])) if kind in kinds else tensor
        if narrow is not tensor and torch.equal(narrow.to(tensor.dtype), tensor):
            return narrow
    return tensor
