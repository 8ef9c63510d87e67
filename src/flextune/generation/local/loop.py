"""Token by token through one batch: greedy or sampled, rows leave as they end.

``transformers.generate`` keeps every row until the last one has ended, and its cache moves all states at
every token; for answers of mixed length that is most of the work. Beam search does go through ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from flextune.generation.local.batches import left_pad
from flextune.generation.local.cache import growing_cache

#: Steps between two looks at the text, when rows that have ended leave the batch.
LOOK_EVERY = 8

#: Picks the next tokens: (logits float32 ``(rows, vocabulary)``, rows, step) -> ids ``(rows,)``.
Choose = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(slots=True)
class Path:
    """What one row has generated.

    Attributes:
        limit: Tokens it may have.
        ids: New tokens, EOS included. Up to ``LOOK_EVERY - 1`` may follow a stop string.
        gaps: For every token, the distance of the two largest logits before it.
        ended: The last token is EOS.
    """

    limit: int
    ids: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def full(self) -> bool:
        """Whether nothing can follow."""
        return self.ended or len(self.ids) >= self.limit

    def extend(self, ids: Sequence[int], gaps: Sequence[float], eos: Collection[int]) -> None:
        """Take new tokens up to the limit or EOS."""
        for token, gap in zip(ids, gaps, strict=True):
            if self.full:
                return
            self.ids.append(token)
            self.gaps.append(gap)
            self.ended = token in eos


def greedy(logits: Tensor, rows: Tensor, step: int) -> Tensor:
    """The likeliest token of every row."""
    return logits.argmax(-1)


def continue_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    *,
    eos: Collection[int],
    choose: Choose,
    stopped: Callable[[int, Sequence[int]], bool],
) -> list[Path]:
    """Continue every prompt until EOS, a stop string or its limit.

    Args:
        model: A causal language model in evaluation mode.
        prompts: Token ids, none empty.
        limits: New tokens a row may have, at least 1.
        eos: Ids that end a text.
        choose: Picks tokens; ``rows`` are indices into ``prompts``.
        stopped: Whether the tokens of a row (index, ids) hold a stop string.
    """
    device = model.device
    paths = [Path(limit) for limit in limits]
    rows = torch.arange(len(prompts), device=device)
    ids, mask = (tensor.to(device) for tensor in left_pad(prompts, filler=0))
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    # A row may run past its limit before it leaves; models with learned positions have none there.
    last = positions[:, -1:] + torch.tensor(limits, device=device)[:, None] - 1
    mask = torch.nn.functional.pad(mask, (0, max(limits)), value=1)
    width = ids.shape[1]
    cache = growing_cache(model.config)
    recent: list[Tensor] = []
    for step in range(max(limits)):
        logits = _last_logits(model, ids, mask[:, : width + step], positions, cache)
        top = logits.topk(2).values
        tokens = choose(logits, rows, step)
        # Ids below 2^53 are exact in float64, so both fit one tensor and one transfer.
        recent.append(torch.stack((tokens.double(), (top[:, 0] - top[:, 1]).double())))
        ids, positions = tokens[:, None], torch.minimum(positions[:, -1:] + 1, last)
        if (step + 1) % LOOK_EVERY and step + 1 < max(limits):
            continue
        new_ids, new_gaps = torch.stack(recent, dim=-1).cpu()
        recent = []
        running = []
        for place, row in enumerate(rows.tolist()):
            paths[row].extend(new_ids[place].long().tolist(), new_gaps[place].tolist(), eos)
            if not (paths[row].full or stopped(row, paths[row].ids)):
                running.append(place)
        if not running:
            break
        if len(running) < len(rows):
            keep = torch.tensor(running, device=device)
            cache.batch_select_indices(keep)
            rows, ids, mask = rows[keep], ids[keep], mask[keep]
            positions, last = positions[keep], last[keep]
    return paths


def _last_logits(model: Any, ids: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
    """Logits after the last token, float32, shape ``(rows, vocabulary)``."""
    output = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1].float()
