"""What a model keeps between tokens: a key-value cache written in place, or states of its own kind."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import Cache, DynamicLayer

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

C = TypeVar("C", bound=DynamicCache)

#: Tokens of room added when a layer is full.
ROOM = 64

#: Names that forward methods have for what is kept: attention and hybrids, Mamba and xLSTM, RWKV.
_NAMES = ("past_key_values", "cache_params", "state")


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

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep the rows ``beam_idx``, in that order."""
        super().reorder_cache(beam_idx)
        if self._buffers:
            self._buffers = [_with_room(old, old.shape[-2] + ROOM) for old in (self.keys, self.values)]

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep the rows ``indices``."""
        self.reorder_cache(indices)


class BeamLayer(GrowingLayer):
    """``GrowingLayer`` for beam search: beams trade places behind their prompt, which they share.

    The original copies all states of all beams at every token.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shared = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append the states of new tokens and return those of all tokens; the first are the prompt's."""
        if not self.is_initialized:
            self._shared = key_states.shape[-2]
        return super().update(key_states, value_states, *args, **kwargs)

    def move(self, targets: Tensor, sources: Tensor) -> None:
        """Give the beams ``targets`` what the beams ``sources`` of the same prompts have."""
        for states in (self.keys, self.values):
            own = states[:, :, self._shared :]
            own[targets] = own[sources]


class BeamCache(DynamicCache):
    """What a beam search keeps between tokens."""

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep the beams ``beam_idx``, in that order; each comes from a beam of the same prompt."""
        [targets] = (beam_idx != torch.arange(len(beam_idx), device=beam_idx.device)).nonzero(as_tuple=True)
        for layer in self.layers:
            if isinstance(layer, BeamLayer):
                layer.move(targets, beam_idx[targets])
            else:
                layer.reorder_cache(beam_idx)


def _with_room(states: Tensor, tokens: int) -> Tensor:
    rows, heads, used, size = states.shape
    buffer = states.new_empty(rows, heads, tokens, size)
    buffer[:, :, :used] = states
    return buffer


def growing_cache(config: PreTrainedConfig) -> DynamicCache:
    """An empty cache for a model; layers of other kinds (sliding windows) stay what they are."""
    return _with_layers(DynamicCache(config=config), GrowingLayer)


def beam_cache(model: PreTrainedModel) -> BeamCache | None:
    """An empty cache for ``generate``; None: the model's states are of its own kind, and it makes them."""
    own = hasattr(model, "_reorder_cache") or state_name(model) != "past_key_values"
    if own or not model._supports_default_dynamic_cache():
        return None
    return _with_layers(BeamCache(config=model.config), BeamLayer)


def _with_layers(cache: C, kind: type[DynamicLayer]) -> C:
    cache.layers = [kind() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def forward_parameters(model: PreTrainedModel) -> Mapping[str, inspect.Parameter]:
    """Parameters of a model's forward method; those of the model itself where PEFT wraps it."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return inspect.signature(base.forward).parameters


def state_name(model: PreTrainedModel) -> str | None:
    """The name that a model's forward has for what it keeps between tokens, None where it keeps nothing."""
    return next((name for name in _NAMES if name in forward_parameters(model)), None)


class DecoderStates:
    """What a model keeps between the tokens of one batch, whatever its kind.

    Args:
        model: A model with a ``state_name``.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._name = state_name(model) or _NAMES[0]
        # transformers' own test. The others (RWKV, xLSTM, MiniMax) make their states at the first token.
        takes_cache = model._supports_default_dynamic_cache()
        self._states: Any = growing_cache(model.config) if takes_cache else None
        self._steps = 0

    def arguments(self, mask: Tensor) -> dict[str, Any]:
        """What the forward call gets: the states, and the mask of shape ``(rows, tokens so far)``."""
        # Mamba multiplies what comes in with its mask: one token with the mask of all would become many.
        hides_padding = self._name == "past_key_values" or self._steps == 0
        return {self._name: self._states, "attention_mask": mask if hides_padding else None}

    def keep(self, output: Mapping[str, Any]) -> None:
        """Take what a forward call returned, where it did not write into the states that it got."""
        self._states = output.get(self._name, self._states)
        self._steps += 1

    def select(self, rows: Tensor) -> None:
        """Keep the rows ``rows`` of the batch."""
        # xLSTM and MiniMax keep theirs under names of their own; RWKV is decoded one row at a time.
        for name in ("rnn_state", "linear_cache"):
            if hasattr(self._states, name):
                setattr(self._states, name, _rows_of(getattr(self._states, name), rows))
        # Not ``batch_select_indices``: layers with recurrent states know it not at all, or only in part.
        if isinstance(self._states, Cache):
            self._states.reorder_cache(rows)


def _rows_of(states: Any, rows: Tensor) -> Any:
    """The rows ``rows`` of every tensor in nested lists, tuples and dictionaries."""
    if isinstance(states, Tensor):
        return states[rows]
    if isinstance(states, dict):
        return {key: _rows_of(value, rows) for key, value in states.items()}
    return type(states)(_rows_of(value, rows) for value in states)
