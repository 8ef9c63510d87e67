"""Beam search through ``transformers.generate``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from flextune.generation.local.batches import left_pad


class StopStrings(StoppingCriteria):
    """Ends a beam at its stop string.

    Args:
        stopped: Whether generated tokens (row, ids) hold a stop string.
        prompt_width: Tokens before the first generated one.
        rows: Rows of the batch; each has as many beams as the others.
    """

    def __init__(self, stopped: Callable[[int, Sequence[int]], bool], prompt_width: int, rows: int) -> None:
        self.stopped = stopped
        self.prompt_width = prompt_width
        self.rows = rows

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        """One flag per beam; beams of a row stand together."""
        beams = input_ids.shape[0] // self.rows
        generated = input_ids[:, self.prompt_width :].tolist()
        flags = [self.stopped(place // beams, ids) for place, ids in enumerate(generated)]
        return torch.tensor(flags, device=input_ids.device)


def beam_search(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    limit: int,
    beams: int,
    eos: Collection[int],
    stopped: Callable[[int, Sequence[int]], bool],
) -> list[list[int]]:
    """Best beam of every prompt, EOS included where it has one.

    A beam's score is its log-probability divided by its length. What a model's own generation settings say
    about repetition or length is left aside, as in the other ways of decoding.

    Args:
        model: A causal language model in evaluation mode.
        prompts: Token ids, none empty.
        limit: New tokens at most.
        beams: Beams per prompt.
        eos: Ids that end a text.
        stopped: Whether generated tokens of a row hold a stop string.
    """
    # Any id serves behind the end: what follows the first EOS is cut below.
    filler = min(eos, default=0)
    ids, mask = (tensor.to(model.device) for tensor in left_pad(prompts, filler))
    config = GenerationConfig(
        num_beams=beams,
        do_sample=False,
        max_new_tokens=limit,
        pad_token_id=filler,
        eos_token_id=sorted(eos) or None,
        length_penalty=1.0,
        early_stopping=False,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
    )
    criteria = StoppingCriteriaList([StopStrings(stopped, ids.shape[1], len(prompts))])
    output = model.generate(
        input_ids=ids, attention_mask=mask, generation_config=config, stopping_criteria=criteria
    )
    return [_until_end(row, eos) for row in output[:, ids.shape[1] :].tolist()]


def _until_end(ids: list[int], eos: Collection[int]) -> list[int]:
    end = next((place + 1 for place, token in enumerate(ids) if token in eos), len(ids))
    return ids[:end]
