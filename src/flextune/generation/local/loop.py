"""Token by token through one batch: greedy or sampled, rows leave as they end.

``transformers.generate`` keeps every row until the last one has ended, and its cache moves all states at
every token; for answers of mixed length that is most of the work. Beam search does go through ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from flextune.generation.local.batches import left_pad
from flextune.generation.local.cache import DecoderStates

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: Steps between two looks at the text, when rows that have ended leave the batch.
LOOK_EVERY = 8

#: Picks the next tokens: (logits float32 ``(rows, vocabulary)``, rows, step) -> ids ``(rows,)``.
Choose = Callable[[Tensor, Tensor, int], Tensor]


class NanLogitsError(ArithmeticError):
    """A model computed NaN where a token was to be chosen.

    Attributes:
        row: The first row of the batch where it did.
    """

    def __init__(self, row: int) -> None:
        super().__init__(f"NaN logits in row {row}")
        self.row = row


@dataclass(slots=True)
class Decoded:
    """What one row has generated.

    Attributes:
        max_new_tokens: Tokens it may have.
        ids: New tokens, EOS included. Up to ``LOOK_EVERY - 1`` may follow a stop string.
        gaps: For every token, the distance of the two largest logits before it.
        ended: The last token is EOS.
    """

    max_new_tokens: int
    ids: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def full(self) -> bool:
        """Whether nothing can follow."""
        return self.ended or len(self.ids) >= self.max_new_tokens

    def extend(self, ids: Sequence[int], gaps: Sequence[float], eos: Collection[int]) -> None:
        """Take new tokens until the row is full."""
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
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: Sequence[int],
    *,
    eos: Collection[int],
    choose: Choose,
    stopped: Callable[[int, Sequence[int]], bool],
) -> list[Decoded]:
    """Continue every prompt until EOS, a stop string or its limit.

    Args:
        model: A causal language model in evaluation mode.
        prompts: Token ids, none empty.
        max_new_tokens: New tokens that each row may have, at least 1.
        eos: Ids that end a text.
        choose: Picks tokens; ``rows`` are indices into ``prompts``.
        stopped: Whether the tokens of a row (index, ids) hold a stop string.

    Raises:
        NanLogitsError: The model computed NaN for a row.
    """
    device = model.device
    decoded = [Decoded(most) for most in max_new_tokens]
    steps = max(max_new_tokens)
    rows = torch.arange(len(prompts), device=device)
    ids, mask = (tensor.to(device) for tensor in left_pad(prompts, filler=0))
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    # A row may run past its limit before it leaves; models with learned positions have none there.
    last = positions[:, -1:] + torch.tensor(max_new_tokens, device=device)[:, None] - 1
    mask = torch.nn.functional.pad(mask, (0, steps), value=1)
    width = ids.shape[1]
    states = DecoderStates(model)
    recent: list[Tensor] = []
    for step in range(steps):
        logits = _last_logits(model, ids, mask[:, : width + step], positions, states)
        top = logits.topk(2).values
        tokens = choose(logits, rows, step)
        # Ids below 2^53 are exact in float64, so both fit one tensor and one transfer.
        recent.append(torch.stack((tokens.double(), (top[:, 0] - top[:, 1]).double())))
        ids, positions = tokens[:, None], torch.minimum(positions[:, -1:] + 1, last)
        if (step + 1) % LOOK_EVERY and step + 1 < steps:
            continue
        running = _look(decoded, rows, torch.stack(recent, dim=-1), eos, stopped)
        recent = []
        if not running:
            break
        if len(running) < len(rows):
            keep = torch.tensor(running, device=device)
            states.select(keep)
            rows, ids, mask = rows[keep], ids[keep], mask[keep]
            positions, last = positions[keep], last[keep]
    return decoded


def _look(
    decoded: Sequence[Decoded],
    rows: Tensor,
    recent: Tensor,
    eos: Collection[int],
    stopped: Callable[[int, Sequence[int]], bool],
) -> list[int]:
    """Hand the rows their new tokens; returns the places in the batch of those that go on.

    Args:
        decoded: By row of the whole batch; extended here.
        rows: Rows that are still in the batch, shape ``(places,)``.
        recent: Ids and gaps since the last look, shape ``(2, places, steps)``.
        eos: Ids that end a text.
        stopped: Whether the tokens of a row hold a stop string.
    """
    ids, gaps = recent.cpu()
    places = rows.tolist()
    # topk counts NaN as the largest, so that one NaN logit makes the gap NaN.
    if (broken := gaps.isnan().any(dim=1)).any():
        raise NanLogitsError(places[int(broken.int().argmax())])
    running = []
    for place, row in enumerate(places):
        decoded[row].extend(ids[place].long().tolist(), gaps[place].tolist(), eos)
        if not (decoded[row].full or stopped(row, decoded[row].ids)):
            running.append(place)
    return running


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
