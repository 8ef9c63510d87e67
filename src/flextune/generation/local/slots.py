"""Keys and values of texts that come and go: every row has a slot of its own, filled from column 0.

No row is padded to its neighbours, so a row can leave or join at any step, and what a row computes does not
depend on the others. On a CPU with one thread it does not even in its last bit, for at least ``EXACT_ROWS``
rows and whole vectors of columns at a time (measured with torch 2.13 on x86-64 with AVX2 and with AVX-512;
`tests/generation/test_slots.py` holds it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import Cache, DynamicLayer

from flextune.generation.local.cache import forward_parameters
from flextune.generation.local.memory import token_bytes
from flextune.generation.local.rows import context_length, vocabulary_size

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Rows below which a matrix product rounds differently (MKL has kernels of their own for few rows).
EXACT_ROWS = 16

#: Implementations of attention that take a mask of four dimensions.
_ATTENTION = ("sdpa", "eager")

#: Attention splits its queries into blocks of 32, 64 or 256 tokens; a block that is cut rounds differently.
_BLOCK, _LONG, _LONG_BLOCK = 64, 768, 256


@dataclass(slots=True)
class Place:
    """Where the next token of every row goes, shared by the layers of a cache.

    Attributes:
        rows: 0, 1, 2, ..., one for each slot.
        lengths: Tokens of every row so far, shape ``(rows,)``.
        columns: Columns that attention looks at: more than the longest row has.
    """

    rows: Tensor
    lengths: Tensor
    columns: int


class SlotLayer(DynamicLayer):
    """Keys and values of one layer, shape ``(slots, heads, columns, head_dim)``."""

    def __init__(self, place: Place, slots: int, columns: int) -> None:
        super().__init__()
        self._place = place
        self._shape = (slots, columns)
        self.buffers: tuple[Tensor, Tensor] | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write one token of every row behind its last one; returns all columns that count."""
        place, rows = self._place, key_states.shape[0]
        columns = place.columns
        pair = []
        for buffer, new in zip(self._room(key_states, value_states), (key_states, value_states), strict=True):
            buffer[place.rows[:rows], :, place.lengths] = new[:, :, 0]
            pair.append(buffer[:rows, :, :columns])
        return pair[0], pair[1]

    def fill(self, slots: Tensor, keys: Tensor, values: Tensor) -> None:
        """Write whole texts into slots, from column 0."""
        for buffer, new in zip(self._room(keys, values), (keys, values), strict=True):
            buffer[slots, :, : new.shape[2]] = new

    def move(self, target: Tensor, source: Tensor, columns: int) -> None:
        """Copy the first columns of the slots ``source`` into the slots ``target``."""
        for buffer in self.buffers or ():
            buffer[target, :, :columns] = buffer[source, :, :columns]

    def get_seq_length(self) -> int:
        """Columns before the new token, as masks count them."""
        return self._place.columns - 1

    def _room(self, *states: Tensor) -> tuple[Tensor, Tensor]:
        if self.buffers is None:
            slots, columns = self._shape
            # Zeros, for a masked column may be read: zero times what was there must not be NaN.
            keys, values = (new.new_zeros(slots, new.shape[1], columns, new.shape[3]) for new in states)
            self.buffers = keys, values
        return self.buffers


class SlotCache(Cache):
    """A transformers cache with a slot for every row.

    Args:
        layers: Layers of the model.
        slots: Rows at most.
        columns: Tokens of a row at most.
        device: The model's.
    """

    def __init__(self, layers: int, slots: int, columns: int, device: torch.device) -> None:
        rows = torch.arange(slots, device=device)
        self.place = Place(rows, torch.zeros_like(rows), 1)
        self.columns = columns
        self.slot_layers = [SlotLayer(self.place, slots, columns) for _ in range(layers)]
        super().__init__(layers=list(self.slot_layers))

    def fill(self, slots: Tensor, prompts: DynamicCache, sources: Tensor) -> None:
        """Take the states of prompts that were read together.

        Args:
            slots: Where they go, shape ``(texts,)``.
            prompts: The states.
            sources: Row of ``prompts`` for every slot; one prompt may go to several.
        """
        for mine, read in zip(self.slot_layers, prompts.layers, strict=True):
            mine.fill(slots, read.keys[sources], read.values[sources])

    def move(self, target: Tensor, source: Tensor, columns: int) -> None:
        """Copy slots ``source`` into slots ``target``."""
        for layer in self.slot_layers:
            layer.move(target, source, columns)


class SlotModel:
    """A model that reads prompts and continues the texts in its slots.

    Args:
        model: A causal language model for which ``slot_model`` gives one.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.device = model.device
        self.layers = len(DynamicCache(config=model.config).layers)
        self.context = context_length(model.config)
        self.vocabulary = vocabulary_size(model)
        self._eager = model.config._attn_implementation == "eager"
        self.token_bytes = 0

    def cache(self, slots: int, columns: int) -> SlotCache:
        """Empty slots."""
        return SlotCache(self.layers, slots, columns, self.device)

    def read(self, prompts: Sequence[Sequence[int]]) -> DynamicCache:
        """The states of prompts, none empty; what lies behind a prompt's end in its row has no meaning."""
        width = self.prompt_columns(max(map(len, prompts)))
        ids = torch.tensor(
            [[*prompt, *[0] * (width - len(prompt))] for prompt in prompts], device=self.device
        )
        positions = torch.arange(width, device=self.device)
        if self.context is not None:
            positions = positions.clamp(max=self.context - 1)
        cache = DynamicCache(config=self.model.config)
        # Causal attention alone: what pads a row comes after its text, so no mask is needed.
        self.model(
            input_ids=ids,
            position_ids=positions.expand(len(prompts), -1),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return cache

    def step(self, cache: SlotCache, tokens: Tensor, lengths: Tensor, columns: int) -> Tensor:
        """Logits after one more token of every row.

        Args:
            cache: With the states of the tokens before.
            tokens: Shape ``(rows,)``.
            lengths: Tokens before, shape ``(rows,)``.
            columns: Columns that attention looks at, more than the longest length.

        Returns:
            Float32, shape ``(rows, vocabulary)``.
        """
        cache.place.lengths, cache.place.columns = lengths, columns
        mask = torch.arange(columns, device=self.device) <= lengths[:, None]
        output = self.model(
            input_ids=tokens[:, None],
            position_ids=self._positions(lengths)[:, None],
            attention_mask=self._additive(mask) if self._eager else mask[:, None, None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def prompt_columns(self, tokens: int) -> int:
        """Columns in which prompts of so many tokens at most are read."""
        block = _BLOCK if tokens <= _LONG else _LONG_BLOCK
        return -(-tokens // block) * block

    def _positions(self, lengths: Tensor) -> Tensor:
        # A row may run past its limit before it leaves; models with learned positions have none there.
        return lengths if self.context is None else lengths.clamp(max=self.context - 1)

    def _additive(self, mask: Tensor) -> Tensor:
        dtype = self.model.dtype
        zero = torch.zeros((), dtype=dtype, device=self.device)
        return torch.where(mask[:, None, None], zero, torch.finfo(dtype).min)


@torch.inference_mode()
def slot_model(model: PreTrainedModel) -> SlotModel | None:
    """The model for decoding in slots, where it can be: it attends to all earlier tokens, by position.

    Whatever its configuration says, it must give the logits of its plain forward pass on two short texts.
    """
    if not {"past_key_values", "position_ids", "attention_mask"} <= set(forward_parameters(model)):
        return None
    if not model._supports_default_dynamic_cache() or model.config._attn_implementation not in _ATTENTION:
        return None
    if {type(layer) for layer in DynamicCache(config=model.config).layers} != {DynamicLayer}:
        return None
    slots = SlotModel(model)
    try:
        slots.token_bytes = token_bytes(slots.read([[0]]))
        return slots if _agrees(slots) else None
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        return None


def _agrees(slots: SlotModel) -> bool:
    model, device = slots.model, slots.device
    texts = [[(7 * n + 3) % slots.vocabulary for n in range(size)] for size in (6, 3)]
    cache = slots.cache(2, 2 * _BLOCK)
    cache.fill(cache.place.rows, slots.read([text[:-2] for text in texts]), cache.place.rows)
    for back in (2, 1):
        lengths = torch.tensor([len(text) - back for text in texts], device=device)
        tokens = torch.tensor([text[-back] for text in texts], device=device)
        logits = slots.step(cache, tokens, lengths, 8)
    alone = [model(input_ids=torch.tensor([text], device=device), use_cache=False) for text in texts]
    plain = torch.stack([output.logits[0, -1].float() for output in alone])
    scale = plain.abs().amax().nan_to_num(nan=1.0, posinf=1.0).clamp(min=1e-6)
    tolerance = 1e-3 if model.dtype == torch.float32 else 5e-2
    return torch.allclose(logits / scale, plain / scale, rtol=0, atol=tolerance, equal_nan=True)
