"""A key-value cache that is written in place."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

#: Tokens of room added when a layer is full.
ROOM = 64


class GrowingLayer(DynamicLayer):
    """``DynamicLayer`` with spare room behind the last token.

    The original joins old and new states into fresh memory at every token; on a CPU that is most of a small
    model's step. Keys and values have shape ``(rows, heads, tokens, head_dim)``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffers: list[Tensor] = []

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append the states of new tokens and return those of all tokens."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        start = self.keys.shape[-2]
        end = start + key_states.shape[-2]
        if not self._buffers or self._buffers[0].shape[-2] < end:
            self._buffers = [_with_room(old, end + ROOM) for old in (self.keys, self.values)]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = new
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep the rows ``indices``."""
        super().batch_select_indices(indices)
        self._buffers = [_with_room(old, old.shape[-2] + ROOM) for old in (self.keys, self.values)]


def _with_room(states: Tensor, tokens: int) -> Tensor:
    rows, heads, used, size = states.shape
    buffer = states.new_empty(rows, heads, tokens, size)
    buffer[:, :, :used] = states
    return buffer


def growing_cache(config: Any) -> DynamicCache:
    """An empty cache for a model; layers of other kinds (sliding windows) stay what they are."""
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
