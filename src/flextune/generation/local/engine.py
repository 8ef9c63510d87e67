"""Completions of a transformers model in this process."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch

from flextune.config import EMBEDDED_MODEL, DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.local.batches import Item, context_length, plan_batches
from flextune.generation.local.beam import beam_search
from flextune.generation.local.cache import state_name
from flextune.generation.local.loop import (
    LOOK_EVERY,
    Choose,
    Decoded,
    NanLogitsError,
    continue_batch,
    greedy,
)
from flextune.generation.local.padding import sharing
from flextune.generation.local.sampling import row_seed, sampler, uniforms
from flextune.models.encoding import decode_completion, encode_prompt
from flextune.models.load import LoadedModel
from flextune.records import Completion, Problem
from flextune.stopping import cut_at_stop, tail_tokens, tokens_until_stop

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_logger = logging.getLogger(__name__)


class LocalEngine:
    """Batched greedy, sampled or beam decoding (an ``Engine``).

    Prompts are padded to share a batch. Where that would change a model's answers, only prompts of one length
    share one, or each prompt is decoded alone, which a warning says.

    Args:
        loaded: The model; the embedded one is decoded on one thread.

    Raises:
        FlextuneError: The model hands nothing from one token to the next that could be kept.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._model: PreTrainedModel = loaded.model
        self._tokenizer: PreTrainedTokenizerBase = loaded.tokenizer
        self._name = loaded.name
        self._kind = f"model {loaded.name!r}: a model of type {self._model.config.model_type!r}"
        self._context = context_length(self._model.config)
        self._eos = end_tokens(self._model, self._tokenizer)
        if state_name(self._model) is None:
            raise FlextuneError(
                f"{self._kind} keeps no cache between tokens and cannot be decoded; choose another model"
            )
        self._sharing = sharing(self._model)

    def generate(
        self,
        problems: Sequence[Problem],
        decode: DecodeConfig,
        *,
        seed: int,
        done: Set[tuple[str, int]] = frozenset(),
    ) -> Iterator[list[Completion]]:
        """See ``Engine.generate``. A batch that is done in part is decoded again as a whole.

        Raises:
            FlextuneError: A prompt is empty and the tokenizer has no BOS to begin with, the model cannot do
                beam search, or its logits are NaN.
        """
        self._warn(decode)
        size = 1 if self._sharing == "none" else decode.batch_size
        items = self._items(problems, decode)
        for batch in plan_batches(items, size, equal_lengths=self._sharing == "equal"):
            if all(item.key in done for item in batch):
                continue
            with _threads_for(self._name):
                answers = self._answer(batch, decode, seed)
            yield [answer for answer in answers if (answer.name, answer.sample) not in done]

    def _warn(self, decode: DecodeConfig) -> None:
        """Say, or refuse, what a model cannot do in a batch."""
        # transformers moves beams in its own kind of cache and passes over others without a word.
        if decode.strategy == "beam" and not self._model._supports_default_dynamic_cache():
            raise FlextuneError(f"{self._kind} cannot keep several beams; use strategy greedy or sample")
        if decode.batch_size > 1 and self._sharing == "none":
            _warn_once(f"{self._kind} answers differently in a batch, so each prompt is decoded alone")
        if decode.batch_size > 1 and self._sharing == "equal":
            _warn_once(
                f"{self._kind} answers differently behind padding, so only equally long prompts share a batch"
            )

    def _items(self, problems: Sequence[Problem], decode: DecodeConfig) -> list[Item]:
        items = []
        for problem in problems:
            prompt = tuple(encode_prompt(self._tokenizer, problem.prompt))
            if not prompt:
                raise FlextuneError(f"{problem.name}: the prompt is empty, so there is nothing to continue")
            room = decode.max_new_tokens if self._context is None else self._context - len(prompt)
            most = max(0, min(decode.max_new_tokens, room))
            items += [Item(problem, sample, prompt, most) for sample in range(decode.n)]
        return items

    def _answer(self, batch: Sequence[Item], decode: DecodeConfig, seed: int) -> list[Completion]:
        fitting = [item for item in batch if item.max_new_tokens > 0]
        by_key: dict[tuple[str, int], Decoded] = {}
        if fitting:
            search = self._beams if decode.strategy == "beam" else self._continuations
            with torch.inference_mode():
                rows = search(fitting, decode, seed)
            by_key = {item.key: row for item, row in zip(fitting, rows, strict=True)}
        return [self._completion(item, by_key.get(item.key, Decoded(0)), decode) for item in batch]

    def _continuations(self, items: Sequence[Item], decode: DecodeConfig, seed: int) -> list[Decoded]:
        limits = [item.max_new_tokens for item in items]
        choose: Choose = greedy
        if decode.strategy == "sample":
            seeds = [row_seed(seed, item.problem, item.sample) for item in items]
            numbers = uniforms(seeds, max(limits)).to(self._model.device)
            choose = sampler(decode.temperature, decode.top_p, numbers)
        watched = [tail_tokens(item.problem.stop) + LOOK_EVERY for item in items]

        def stopped(row: int, ids: Sequence[int]) -> bool:
            return self._holds_stop(items[row].problem, ids[-watched[row] :])

        prompts = [item.prompt for item in items]
        try:
            return continue_batch(self._model, prompts, limits, eos=self._eos, choose=choose, stopped=stopped)
        except NanLogitsError as error:
            raise self._nan(items[error.row].problem) from error

    def _beams(self, items: Sequence[Item], decode: DecodeConfig, seed: int) -> list[Decoded]:
        """``generate`` knows one limit a call, so rows near the end of the context go apart."""
        decoded = [Decoded(item.max_new_tokens) for item in items]
        for limit in sorted({item.max_new_tokens for item in items}):
            rows = [row for row, item in enumerate(items) if item.max_new_tokens == limit]
            for row, ids in zip(rows, self._best_beams([items[row] for row in rows], decode), strict=True):
                decoded[row].ids = ids
                decoded[row].ended = bool(ids) and ids[-1] in self._eos
        return decoded

    def _best_beams(self, items: Sequence[Item], decode: DecodeConfig) -> list[list[int]]:
        """New tokens of items that may have equally many."""

        def stopped(row: int, ids: Sequence[int]) -> bool:
            problem = items[row].problem
            return self._holds_stop(problem, ids[-tail_tokens(problem.stop) - 1 :])

        try:
            return beam_search(
                self._model,
                [item.prompt for item in items],
                max_new_tokens=items[0].max_new_tokens,
                beams=decode.num_beams,
                eos=self._eos,
                stopped=stopped,
            )
        except NanLogitsError as error:
            raise self._nan(items[error.row].problem) from error

    def _nan(self, problem: Problem) -> FlextuneError:
        dtype = str(self._model.dtype).removeprefix("torch.")
        return FlextuneError(
            f"model {self._name!r}: NaN logits at the prompt of {problem.name!r}; check adapter and weights "
            f"for NaN, or choose another dtype than {dtype} (bfloat16 or float32)"
        )

    def _holds_stop(self, problem: Problem, ids: Sequence[int]) -> bool:
        return bool(problem.stop) and cut_at_stop(self._text(ids), problem.stop)[1]

    def _completion(self, item: Item, decoded: Decoded, decode: DecodeConfig) -> Completion:
        stops = item.problem.stop
        body = decoded.ids[:-1] if decoded.ended else decoded.ids
        tokens = tokens_until_stop(body, self._text, stops)
        text, at_stop = cut_at_stop(self._text(body[:tokens]), stops)
        if not at_stop:
            tokens = len(decoded.ids)
            text, at_stop = cut_at_stop(text, stops, ended=decoded.ended)
        margin = min(decoded.gaps[:tokens], default=None) if decode.strategy == "greedy" else None
        return Completion(
            name=item.problem.name,
            sample=item.sample,
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


@cache
def _warn_once(message: str) -> None:
    _logger.warning(message)


@contextmanager
def _threads_for(name: str) -> Iterator[None]:
    """Decode the embedded model on one thread.

    Its matrices of one token are too small to share: a second thread mostly waits, and takes the processor
    from the programs that are judged meanwhile.
    """
    before = torch.get_num_threads()
    if name == EMBEDDED_MODEL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
