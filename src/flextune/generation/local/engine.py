"""Completions of a transformers model in this process."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from typing import Any

import torch

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.local.batches import Item, context_length, plan_batches
from flextune.generation.local.beam import beam_search
from flextune.generation.local.loop import LOOK_EVERY, Choose, Path, continue_batch, greedy
from flextune.generation.local.sampling import row_seed, sampler, uniforms
from flextune.generation.stopping import cut_at_stop, tail_tokens, tokens_until_stop
from flextune.models.encoding import decode_completion, encode_prompt
from flextune.models.load import LoadedModel
from flextune.records import Completion, Problem


class LocalEngine:
    """Batched greedy, sampled or beam decoding (an ``Engine``)."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._model: Any = loaded.model
        self._tokenizer: Any = loaded.tokenizer
        self._context = context_length(self._model.config)
        self._eos = end_tokens(self._model, self._tokenizer)

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
            FlextuneError: A prompt is empty and the tokenizer has no BOS to begin with.
        """
        for batch in plan_batches(self._items(problems, decode), decode.batch_size):
            if all(item.key in done for item in batch):
                continue
            answers = self._answer(batch, decode, seed)
            yield [answer for answer in answers if (answer.name, answer.sample) not in done]

    def _items(self, problems: Sequence[Problem], decode: DecodeConfig) -> list[Item]:
        items = []
        for problem in problems:
            prompt = tuple(encode_prompt(self._tokenizer, problem.prompt))
            if not prompt:
                raise FlextuneError(f"{problem.name}: the prompt is empty, so there is nothing to continue")
            room = decode.max_new_tokens if self._context is None else self._context - len(prompt)
            limit = max(0, min(decode.max_new_tokens, room))
            items += [Item(problem, sample, prompt, limit) for sample in range(decode.n)]
        return items

    def _answer(self, batch: Sequence[Item], decode: DecodeConfig, seed: int) -> list[Completion]:
        fitting = [item for item in batch if item.limit > 0]
        paths: dict[tuple[str, int], Path] = {}
        if fitting:
            search = self._beams if decode.strategy == "beam" else self._paths
            with torch.inference_mode():
                found = search(fitting, decode, seed)
            paths = {item.key: path for item, path in zip(fitting, found, strict=True)}
        return [self._completion(item, paths.get(item.key, Path(0)), decode) for item in batch]

    def _paths(self, items: Sequence[Item], decode: DecodeConfig, seed: int) -> list[Path]:
        limits = [item.limit for item in items]
        choose: Choose = greedy
        if decode.strategy == "sample":
            seeds = [row_seed(seed, item.problem, item.sample) for item in items]
            numbers = uniforms(seeds, max(limits)).to(self._model.device)
            choose = sampler(decode.temperature, decode.top_p, numbers)
        watched = [tail_tokens(item.problem.stop) + LOOK_EVERY for item in items]

        def stopped(row: int, ids: Sequence[int]) -> bool:
            return self._holds_stop(items[row].problem, ids[-watched[row] :])

        prompts = [item.prompt for item in items]
        return continue_batch(self._model, prompts, limits, eos=self._eos, choose=choose, stopped=stopped)

    def _beams(self, items: Sequence[Item], decode: DecodeConfig, seed: int) -> list[Path]:
        """``generate`` knows one limit a call, so rows near the end of the context go apart."""
        paths = [Path(item.limit) for item in items]
        for limit in sorted({item.limit for item in items}):
            rows = [row for row, item in enumerate(items) if item.limit == limit]
            chosen = [items[row] for row in rows]

            def stopped(row: int, ids: Sequence[int], chosen: Sequence[Item] = chosen) -> bool:
                stops = chosen[row].problem.stop
                return self._holds_stop(chosen[row].problem, ids[-tail_tokens(stops) - 1 :])

            prompts = [item.prompt for item in chosen]
            beams = beam_search(
                self._model, prompts, limit=limit, beams=decode.num_beams, eos=self._eos, stopped=stopped
            )
            for row, ids in zip(rows, beams, strict=True):
                paths[row].ids = ids
                paths[row].ended = bool(ids) and ids[-1] in self._eos
        return paths

    def _holds_stop(self, problem: Problem, ids: Sequence[int]) -> bool:
        return bool(problem.stop) and cut_at_stop(self._text(ids), problem.stop)[1]

    def _completion(self, item: Item, path: Path, decode: DecodeConfig) -> Completion:
        stops = item.problem.stop
        body = path.ids[:-1] if path.ended else path.ids
        tokens = tokens_until_stop(body, self._text, stops)
        text, found = cut_at_stop(self._text(body[:tokens]), stops)
        if not found:
            tokens = len(path.ids)
            text, found = cut_at_stop(text, stops, ended=path.ended)
        margin = min(path.gaps[:tokens], default=None) if decode.strategy == "greedy" else None
        return Completion(
            name=item.problem.name,
            sample=item.sample,
            text=text,
            finish="stop" if found else "eos" if path.ended else "length",
            tokens=tokens,
            margin=margin,
        )

    def _text(self, ids: Sequence[int]) -> str:
        return decode_completion(self._tokenizer, ids)


def end_tokens(model: Any, tokenizer: Any) -> Collection[int]:
    """Ids that end a text: the tokenizer's EOS, which training teaches, and those the model declares."""
    declared = getattr(model.generation_config, "eos_token_id", None)
    declared = declared if isinstance(declared, (list, tuple)) else [declared]
    return frozenset(token for token in (tokenizer.eos_token_id, *declared) if token is not None)
