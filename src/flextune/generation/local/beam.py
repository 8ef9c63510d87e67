"""Beam search through ``transformers.generate``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from flextune.config import DecodeConfig
from flextune.generation.local.cache import beam_cache
from flextune.generation.local.decoded import NanLogitsError, Stopped
from flextune.generation.local.rows import Row, left_pad

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class NanWatch(LogitsProcessor):
    """Remembers where the last logits were NaN and changes none."""

    def __init__(self) -> None:
        self._broken = torch.zeros(1, dtype=torch.bool)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Take one step's scores, shape ``(rows * beams, vocabulary)``."""
        self._broken = scores.isnan().any(-1)
        return scores

    def broken_rows(self, rows: int) -> Tensor:
        """Whether a beam of each row had NaN logits, shape ``(rows,)``, on the model's device."""
        return self._broken.view(rows, -1).any(-1)


class HealedBeams(LogitsProcessor):
    """Lets a beam choose only tokens that agree with what it must say again of its prompt.

    Args:
        rows: Of the batch; each has as many beams as the others.
        prompt_width: Tokens before the first generated one.
    """

    def __init__(self, rows: Sequence[Row], prompt_width: int) -> None:
        self._rows = rows
        self._width = prompt_width
        # A token says one character at least.
        self._longest = max((len(row.healed.text) for row in rows if row.healed), default=0)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Take one step's scores, shape ``(rows * beams, vocabulary)``."""
        if input_ids.shape[1] - self._width >= self._longest:
            return scores
        beams = input_ids.shape[0] // len(self._rows)
        for beam, ids in enumerate(input_ids[:, self._width :].tolist()):
            healed = self._rows[beam // beams].healed
            if healed and (rest := healed.rest(ids)):
                agreeing = healed.vocabulary.agreeing(rest).to(scores.device)
                scores[beam] = scores[beam].masked_fill(~agreeing, -torch.inf)
        return scores


class StopStrings(StoppingCriteria):
    """Ends a beam at its stop string, and the search at NaN logits: here the tokens leave the device anyway.

    Args:
        stopped: Whether generated tokens (row, ids) hold a stop string.
        prompt_width: Tokens before the first generated one.
        rows: Of the batch; each has as many beams as the others.
        watch: Sees the logits of every step.
    """

    def __init__(
        self,
        stopped: Stopped,
        prompt_width: int,
        rows: Sequence[Row],
        watch: NanWatch,
    ) -> None:
        self.stopped = stopped
        self.prompt_width = prompt_width
        self.rows = rows
        self.watch = watch

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        """One flag per beam; beams of a row stand together.

        Raises:
            NanLogitsError: The logits behind these tokens were NaN.
        """
        beams = input_ids.shape[0] // len(self.rows)
        broken = self.watch.broken_rows(len(self.rows)).repeat_interleave(beams)[:, None]
        # The flags of NaN travel with the tokens: one transfer.
        flags = []
        for place, (*ids, is_nan) in enumerate(
            torch.cat((input_ids[:, self.prompt_width :], broken), 1).tolist()
        ):
            row = self.rows[place // beams]
            if is_nan:
                raise NanLogitsError(row)
            flags.append(self.stopped(row, ids))
        return torch.tensor(flags, device=input_ids.device)


def beam_search(
    model: PreTrainedModel, rows: Sequence[Row], *, eos: Collection[int], stopped: Stopped
) -> list[list[int]]:
    """Best beam of every prompt, EOS included where it has one.

    What a model's own generation settings say about repetition or length is left aside, as in the other ways
    of decoding.

    Args:
        model: A causal language model in evaluation mode.
        rows: Of one setting and one limit; no prompt empty.
        eos: Ids that end a text.
        stopped: Whether the last tokens of a row hold a stop string.

    Raises:
        NanLogitsError: The model computed NaN for a row.
    """
    # Any id serves behind the end: what follows the first EOS is cut below.
    filler = min(eos, default=0)
    ids, mask = (tensor.to(model.device) for tensor in left_pad([row.prompt for row in rows], filler))
    watch, cache = NanWatch(), beam_cache(model)
    output = model.generate(
        **({} if cache is None else {"past_key_values": cache}),
        input_ids=ids,
        attention_mask=mask,
        generation_config=_settings(rows[0].decode, rows[0].max_new_tokens, eos, filler),
        logits_processor=LogitsProcessorList([watch, HealedBeams(rows, ids.shape[1])]),
        stopping_criteria=StoppingCriteriaList([StopStrings(stopped, ids.shape[1], rows, watch)]),
    )
    return [_until_end(row, eos) for row in output[:, ids.shape[1] :].tolist()]


def _settings(
    decode: DecodeConfig, max_new_tokens: int, eos: Collection[int], filler: int
) -> GenerationConfig:
    return GenerationConfig(
        num_beams=decode.num_beams,
        do_sample=False,
        max_new_tokens=max_new_tokens,
        pad_token_id=filler,
        eos_token_id=sorted(eos) or None,
        length_penalty=decode.length_penalty,
        early_stopping=decode.early_stopping,
        repetition_penalty=decode.repetition_penalty,
        no_repeat_ngram_size=0,
    )


def _until_end(ids: list[int], eos: Collection[int]) -> list[int]:
    end = next((place + 1 for place, token in enumerate(ids) if token in eos), len(ids))
    return ids[:end]
