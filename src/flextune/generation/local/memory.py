"""How many texts fit side by side, and what to do when they did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import DynamicCache

#: Rows beyond which a step gains nothing: on a CPU its products are large enough.
MOST_ROWS = {"cpu": 64, "cuda": 256}
_CPU_BYTES = 2 * 2**30
#: Of a GPU's memory that the model leaves; the rest is for prompts being read, logits and graphs.
_GPU_SHARE = 0.6


def token_bytes(cache: DynamicCache) -> int:
    """Bytes that a token of one row takes in a cache that holds states of one row at least."""
    pairs = [(layer.keys, layer.values) for layer in cache.layers]
    return sum(states[0, :, 0].numel() * states.element_size() for pair in pairs for states in pair)


def rows_that_fit(device: torch.device, bytes_per_row: int) -> int:
    """Rows side by side, at least 1; the same at every start on one machine."""
    most = MOST_ROWS.get(device.type, MOST_ROWS["cuda"])
    return max(1, min(most, _budget(device) // max(1, bytes_per_row)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or a CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)


def _budget(device: torch.device) -> int:
    if device.type != "cuda":
        return _CPU_BYTES
    total = torch.cuda.get_device_properties(device).total_memory
    return int(_GPU_SHARE * (total - torch.cuda.memory_allocated(device)))
