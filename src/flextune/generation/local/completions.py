"""Rows from problems, and completions from what rows have generated."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from flextune.errors import FlextuneError
from flextune.generation.engine import Request
from flextune.generation.local.decoded import LOOK_EVERY, Decoded
from flextune.generation.local.rows import Row, context_length
from flextune.models.encoding import decode_completion, encode_prompt
from flextune.records import Completion
from flextune.stopping import cut_at_stop, tail_tokens, tokens_until_stop

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Texts:
    """A model's tokenizer at both ends of decoding.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._context = context_length(model.config)

    def rows(self, request: Request, place: int) -> list[Row]:
        """Every answer of a request, also those that are there already.

        Raises:
            FlextuneError: A prompt is empty and the tokenizer has no BOS to begin with.
        """
        rows = []
        decode = request.decode
        for problem in request.problems:
            prompt = tuple(encode_prompt(self._tokenizer, problem.prompt))
            if not prompt:
                raise FlextuneError(f"{problem.name}: the prompt is empty, so there is nothing to continue")
            room = decode.max_new_tokens if self._context is None else self._context - len(prompt)
            most = max(0, min(decode.max_new_tokens, room))
            for sample in range(decode.n):
                rows.append(Row(place, problem, sample, prompt, most, decode, request.seed))
        return rows

    def stopped(self, row: Row, ids: Sequence[int]) -> bool:
        """Whether the last tokens of a row hold a stop string, looked at every ``LOOK_EVERY`` steps."""
        stops = row.problem.stop
        if not any(stops):
            return False
        return cut_at_stop(self._text(ids[-(tail_tokens(stops) + LOOK_EVERY) :]), stops)[1]

    def completion(self, row: Row, decoded: Decoded) -> Completion:
        """What a row has generated, cut at its first stop string."""
        stops = row.problem.stop
        body = decoded.ids[:-1] if decoded.ended else decoded.ids
        tokens = tokens_until_stop(body, self._text, stops)
        text, at_stop = cut_at_stop(self._text(body[:tokens]), stops)
        if not at_stop:
            tokens = len(decoded.ids)
            text, at_stop = cut_at_stop(text, stops, ended=decoded.ended)
        greedy = row.decode.strategy == "greedy"
        margin = min(decoded.gaps[:tokens], default=None) if greedy else None
        return Completion(
            name=row.problem.name,
            sample=row.sample,
            text=text,
            finish="stop" if at_stop else "eos" if decoded.ended else "length",
            tokens=tokens,
            # JSON has no infinity: it is the gap where a model rules out all tokens but one.
            margin=margin if margin is None or math.isfinite(margin) else None,
        )

    def _text(self, ids: Sequence[int]) -> str:
        return decode_completion(self._tokenizer, ids)


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Collection[int]:
    """Ids that end a text: the tokenizer's EOS, which training teaches, and those the model declares."""
    declared = getattr(model.generation_config, "eos_token_id", None)
    declared = declared if isinstance(declared, (list, tuple)) else [declared]
    return frozenset(token for token in (tokenizer.eos_token_id, *declared) if token is not None)
