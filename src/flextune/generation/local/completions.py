"""Rows from problems, and completions from what rows have generated."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from flextune.data.answers.program_end import program_end
from flextune.errors import FlextuneError
from flextune.generation.engine import Prompt, Request
from flextune.generation.local.decoded import LOOK_EVERY, Decoded
from flextune.generation.local.healing import Healed, Vocabulary
from flextune.generation.local.posing import encode
from flextune.generation.local.posing import ends as ends_of
from flextune.generation.local.rows import Row, context_length, vocabulary_size
from flextune.models.encoding import decode_completion
from flextune.records import Completion
from flextune.stopping import cut_at_stop, tail_tokens, tokens_until_stop

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Texts:
    """A model's tokenizer at both ends of decoding.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        name: What the user called it, for messages.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
        self._tokenizer = tokenizer
        self._name = name
        self._context = context_length(model.config)
        self._size = vocabulary_size(model)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._tokenizer, self._size)

    def rows(self, request: Request, place: int) -> list[Row]:
        """Every answer of a request, also those that are there already.

        Raises:
            FlextuneError: A prompt is empty and the tokenizer has no BOS to begin with, or it is one that
                the tokenizer cannot pose.
        """
        rows = []
        decode = request.decode
        for problem in request.problems:
            posed = request.prompt_of(problem)
            prompt = tuple(encode(self._tokenizer, self._name, posed))
            if not prompt:
                raise FlextuneError(f"{problem.name}: the prompt is empty, so there is nothing to continue")
            healed = self._healed(posed, prompt) if posed.healing else None
            again = healed.tokens if healed else 0
            prompt = prompt[: len(prompt) - again]
            wanted = decode.max_new_tokens + again
            room = wanted if self._context is None else self._context - len(prompt)
            most = max(0, min(wanted, room))
            ends = ends_of(self._tokenizer, self._name, posed)
            for sample in range(decode.n):
                rows.append(
                    Row(place, problem, sample, prompt, most, decode, request.seed, posed, healed, ends)
                )
        return rows

    def _healed(self, posed: Prompt, prompt: Sequence[int]) -> Healed | None:
        count = self._vocabulary.taken_back(posed.text, prompt)
        text = self._vocabulary.text(prompt[len(prompt) - count :])
        return Healed(text, count, self._vocabulary) if count else None

    def stopped(self, row: Row, ids: Sequence[int]) -> bool:
        """Whether nothing that a row needs follows, looked at every ``LOOK_EVERY`` steps."""
        stops = row.posed.stop
        if row.posed.whole or row.healed:
            return self._is_whole(row, self._answer(row, ids))
        if not any(stops):
            return False
        return cut_at_stop(self._text(ids[-(tail_tokens(stops) + LOOK_EVERY) :]), stops)[1]

    def _is_whole(self, row: Row, text: str) -> bool:
        """Whether a stop string is there and, where it is asked for, the end of the program."""
        if not cut_at_stop(text, row.posed.stop)[1]:
            return False
        return not row.posed.whole or program_end(row.problem, text, final=False).decided

    def completion(self, row: Row, decoded: Decoded) -> Completion:
        """What a row has generated, cut at its first stop string."""
        stops = row.posed.stop
        body = decoded.ids[:-1] if decoded.ended else decoded.ids
        tokens = tokens_until_stop(body, lambda ids: self._answer(row, ids), stops)
        text, at_stop = cut_at_stop(self._answer(row, body[:tokens]), stops)
        if not at_stop:
            tokens = len(decoded.ids)
            text, at_stop = cut_at_stop(text, stops, ended=decoded.ended)
        greedy = row.decode.strategy == "greedy"
        margin = min(decoded.gaps[:tokens], default=None) if greedy else None
        whole = program_end(row.problem, self._answer(row, body), final=True) if row.posed.whole else None
        return Completion(
            name=row.problem.name,
            sample=row.sample,
            text=text,
            finish="stop" if at_stop else "eos" if decoded.ended else "length",
            tokens=tokens,
            # JSON has no infinity: it is the gap where a model rules out all tokens but one.
            margin=margin if margin is None or math.isfinite(margin) else None,
            kind=row.posed.kind,
            program=None if whole is None else text if whole.text is None else whole.text,
        )

    def _answer(self, row: Row, ids: Sequence[int]) -> str:
        """The text of a row's tokens, less what of it stands in the prompt."""
        return self._text(ids)[len(row.healed.text) if row.healed else 0 :]

    def _text(self, ids: Sequence[int]) -> str:
        return decode_completion(self._tokenizer, ids)


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Collection[int]:
    """Ids that end a text: the tokenizer's EOS, which training teaches, and those the model declares."""
    declared = getattr(model.generation_config, "eos_token_id", None)
    declared = declared if isinstance(declared, (list, tuple)) else [declared]
    return frozenset(token for token in (tokenizer.eos_token_id, *declared) if token is not None)
