"""One fixed batch, padded on the left: for models whose states cannot be kept in slots."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from flextune.generation.local.cache import DecoderStates
from flextune.generation.local.choice import Choice
from flextune.generation.local.decoded import LOOK_EVERY, Decoded, Stopped, look, with_gaps
from flextune.generation.local.rows import Row, left_pad

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def continue_batch(
    model: PreTrainedModel, rows: Sequence[Row], *, vocabulary: int, eos: Collection[int], stopped: Stopped
) -> list[Decoded]:
    """Continue every prompt until EOS, a stop string or its limit.

    Args:
        model: A causal language model in evaluation mode.
        rows: No prompt empty, each with at least one new token.
        vocabulary: Logits of a row.
        eos: Ids that end a text.
        stopped: Whether the last tokens of a row hold a stop string.

    Raises:
        NanLogitsError: The model computed NaN for a row.
    """
    device = model.device
    decoded = [Decoded(row.max_new_tokens) for row in rows]
    steps = max(row.max_new_tokens for row in rows)
    choice = Choice(len(rows), rows, vocabulary, device)
    choice.admit(rows)
    live = list(range(len(rows)))
    ids, mask = (tensor.to(device) for tensor in left_pad([row.prompt for row in rows], filler=0))
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    # A row may run past its limit before it leaves; models with learned positions have none there.
    limits = torch.tensor([row.max_new_tokens for row in rows], device=device)
    last = positions[:, -1:] + limits[:, None] - 1
    mask = torch.nn.functional.pad(mask, (0, steps), value=1)
    width = ids.shape[1]
    states = DecoderStates(model)
    recent: list[Tensor] = []
    for step in range(steps):
        logits = choice.allowed(_last_logits(model, ids, mask[:, : width + step], positions, states))
        tokens = choice.choose(logits)
        recent.append(with_gaps(logits, tokens))
        ids, positions = tokens[:, None], torch.minimum(positions[:, -1:] + 1, last)
        if (step + 1) % LOOK_EVERY and step + 1 < steps:
            continue
        running = look([rows[i] for i in live], [decoded[i] for i in live], recent, eos, stopped)
        recent = []
        if not running:
            break
        if len(running) < len(live):
            keep = torch.tensor(running, device=device)
            states.select(keep)
            choice.keep(running)
            live = [live[place] for place in running]
            ids, mask = ids[keep], mask[keep]
            positions, last = positions[keep], last[keep]
    return decoded


def _last_logits(
    model: PreTrainedModel, ids: Tensor, mask: Tensor, positions: Tensor, states: DecoderStates
) -> Tensor:
    """Logits after the last token, float32, shape ``(rows, vocabulary)``."""
    output = model(
        input_ids=ids,
        position_ids=positions,
        use_cache=True,
        logits_to_keep=1,
        **states.arguments(mask),
    )
    states.keep(output)
    logits: Tensor = output.logits[:, -1].float()
    return logits
