"""Whether a model keeps texts apart that share a row, found by trying it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flextune.errors import one_line
from flextune.training.batches.flat import segments

# Long enough for a convolution's window and a recurrent state to reach the second text.
_FIRST, _SECOND = 9, 7
# What a text's logits may differ by, in units of their spread. Between two rows in which only another text
# differs it is 0 but for a mixture's experts, who round by how many tokens they get; between a row of two
# texts and one of its own, shapes decide how sums are rounded.
_FULL = (torch.float32, torch.float64)
_LEAK, _LEAK_HALF = 1e-5, 1e-2
_ALONE, _ALONE_HALF = 1e-3, 0.1


def mixing_layers(config: Any) -> str | None:
    """Why a model's configuration says that texts of a row would meet; None where it does not say so."""
    lists = (getattr(config, name, None) or () for name in ("layer_types", "layers_block_type"))
    layers = {kind for each in lists for kind in each}
    carrying = sorted(kind for kind in layers if not kind.endswith("attention") or kind.startswith("linear"))
    if not carrying:
        return None
    return f"{config.model_type} carries one text into the next in its layers of type {', '.join(carrying)}"


def what_mixes(model: Any, *, segments: bool) -> str | None:
    """Why a model cannot be trained on several texts in one row; None where it can.

    Two rows are passed that differ in their first text alone. A model that keeps texts apart gives the second
    text the same logits in both, and those that it gets in a row of its own: linear attention, recurrent
    layers, convolutions over time and positions of a model's own counting show here, whatever the
    model is called. The model is in evaluation mode meanwhile, and nothing is drawn.

    Args:
        model: With its adapter.
        segments: Whether batches say where texts begin.
    """
    if (reason := mixing_layers(model.config)) is not None:
        return reason
    name = model.config.model_type
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            rows = [_row(model, first, _SECOND, segments) for first in (3, 5)]
            alone = _logits(model, _ids(model, 4, _SECOND), [_SECOND], segments)
    except (TypeError, ValueError, RuntimeError, NotImplementedError, KeyError) as error:
        return f"{name} does not take such rows ({one_line(error)})"
    finally:
        model.train(was_training)
    spread = alone.std().clamp(min=1e-12)
    full = model.dtype in _FULL and not segments
    if not bool(((rows[0] - rows[1]).abs().max() / spread) < (_LEAK if full else _LEAK_HALF)):
        return f"{name} lets texts of a row see one another"
    if not bool(((rows[0] - alone).abs().max() / spread) < (_ALONE if full else _ALONE_HALF)):
        return f"{name} gives a text other positions in a row of several"
    return None


def _row(model: Any, first: int, second: int, segments: bool) -> Tensor:
    """Logits of the second text behind a first one."""
    ids = torch.cat([_ids(model, first, _FIRST), _ids(model, 4, second)])
    return _logits(model, ids, [_FIRST, second], segments)[_FIRST:]


def _ids(model: Any, start: int, length: int) -> Tensor:
    """Tokens of a text; multiples of a prime reach all over the vocabulary."""
    vocabulary = model.get_input_embeddings().num_embeddings
    return (torch.arange(1, length + 1) * 7919 * start) % vocabulary


def _logits(model: Any, ids: Tensor, lengths: list[int], with_segments: bool) -> Tensor:
    positions = torch.cat([torch.arange(length) for length in lengths])
    inputs: dict[str, Any] = {"input_ids": ids[None], "position_ids": positions[None]}
    if with_segments:
        inputs |= segments(lengths)
    moved = {
        key: value.to(model.device) if isinstance(value, Tensor) else value for key, value in inputs.items()
    }
    logits: Tensor = model(**moved, use_cache=False).logits[0].float()
    return logits
