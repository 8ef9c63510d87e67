"""Completions of a transformers model in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

import torch

from flextune.config import EMBEDDED_MODEL, DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.engine import Answer, Request
from flextune.generation.local.beam import beam_search
from flextune.generation.local.cache import state_name
from flextune.generation.local.capture import captured_sizes, captured_step
from flextune.generation.local.completions import Texts, end_tokens
from flextune.generation.local.decoded import Decoded, NanLogitsError
from flextune.generation.local.memory import is_out_of_memory, rows_that_fit
from flextune.generation.local.padded import continue_batch
from flextune.generation.local.padding import sharing
from flextune.generation.local.rows import Row, longest_first, plan_batches, vocabulary_size
from flextune.generation.local.slot_loop import Sizes, SlotLoop, as_many, at_least_exact
from flextune.generation.local.slots import SlotModel, slot_model
from flextune.models.load import LoadedModel
from flextune.records import Completion, Problem

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Prompts that a batch of fixed rows has where nothing else is said; of beams, all of a batch together.
_BATCH, _BEAMS = 32, 128


class LocalEngine:
    """Greedy, sampled or beam decoding of many texts side by side (an ``Engine``).

    A model that attends to all earlier tokens is decoded in slots: texts join and leave at any step. Others
    are decoded batch by batch, padded on the left. Where padding would change their answers, only prompts of
    one length share a batch, or each prompt is decoded alone, which a warning says.

    Args:
        loaded: The model; the embedded one is decoded on one thread.

    Raises:
        FlextuneError: The model hands nothing from one token to the next that could be kept.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._model: PreTrainedModel = loaded.model
        self._name = loaded.name
        self._kind = f"model {loaded.name!r}: a model of type {self._model.config.model_type!r}"
        self._texts = Texts(self._model, loaded.tokenizer, loaded.name)
        self._eos = end_tokens(self._model, loaded.tokenizer)
        if state_name(self._model) is None:
            raise FlextuneError(
                f"{self._kind} keeps no cache between tokens and cannot be decoded; choose another model"
            )
        self._sharing = sharing(self._model)
        with _threads_for(self._name):
            self._slots: SlotModel | None = slot_model(self._model) if self._sharing == "any" else None

    @property
    def token_bytes(self) -> int:
        """Bytes of cache for a token of one text; 0 where nothing is kept in slots."""
        return self._slots.token_bytes if self._slots else 0

    def generate(
        self,
        problems: Sequence[Problem],
        decode: DecodeConfig,
        *,
        seed: int,
        done: Set[tuple[str, int]] = frozenset(),
    ) -> Iterator[list[Completion]]:
        """The completions of one request, see ``answer``."""
        for answers in self.answer([Request(problems, decode, seed, done)]):
            yield [answer.completion for answer in answers]

    def answer(self, requests: Sequence[Request]) -> Iterator[list[Answer]]:
        """See ``Engine.answer``. Of beams and of fixed batches, one that is done in part is decoded again.

        Raises:
            FlextuneError: A prompt is empty and the tokenizer has no BOS to begin with, the model cannot do
                beam search, its logits are NaN, or memory ran out for a single text.
        """
        for request in requests:
            self._check(request.decode)
        together: list[Row] = []
        for place, request in enumerate(requests):
            rows = self._texts.rows(request, place)
            full = [row for row in rows if row.max_new_tokens == 0 and row.key not in request.done]
            if full:
                yield [self._answer(row, Decoded(0)) for row in full]
            rows = [row for row in rows if row.max_new_tokens > 0]
            if request.decode.strategy == "beam" or self._slots is None:
                yield from self._by_batches(rows, request)
            else:
                together += [row for row in rows if row.key not in request.done]
        if together and self._slots is not None:
            yield from self._in_slots(self._slots, longest_first(together))

    def _check(self, decode: DecodeConfig) -> None:
        """Say, or refuse, what a model cannot do in a batch."""
        # transformers moves beams in its own kind of cache and passes over others without a word.
        if decode.strategy == "beam" and not self._model._supports_default_dynamic_cache():
            raise FlextuneError(f"{self._kind} cannot keep several beams; use strategy greedy or sample")
        if decode.batch_size == 1:
            return
        if self._sharing == "none":
            _warn_once(f"{self._kind} answers differently in a batch, so each prompt is decoded alone")
        if self._sharing == "equal":
            _warn_once(
                f"{self._kind} answers differently behind padding, so only equally long prompts share a batch"
            )

    # In slots.

    def _in_slots(self, slots: SlotModel, rows: Sequence[Row]) -> Iterator[list[Answer]]:
        """All rows, in fewer slots after memory ran out."""
        most: int | None = None
        while rows:
            sizes = self._sizes(slots, rows, most)
            loop = SlotLoop(
                slots,
                captured_step(slots),
                rows,
                sizes,
                vocabulary=slots.vocabulary,
                eos=self._eos,
                stopped=self._texts.stopped,
            )
            try:
                yield from self._finished(loop)
                return
            except (RuntimeError, MemoryError) as error:
                most = self._fewer(sizes.slots, loop.unfinished[0], error)
            rows = loop.unfinished

    def _finished(self, loop: SlotLoop) -> Iterator[list[Answer]]:
        finished = loop.run()
        while True:
            with self._computing():
                group = next(finished, None)
            if group is None:
                return
            yield [self._answer(row, decoded) for row, decoded in group]

    def _sizes(self, slots: SlotModel, rows: Sequence[Row], most: int | None) -> Sizes:
        longest = max(row.tokens for row in rows)
        # The prompts are read in whole blocks.
        columns = max(slots.prompt_columns(longest), slots.prompt_columns(max(len(r.prompt) for r in rows)))
        fit = rows_that_fit(slots.device, columns * slots.token_bytes)
        wanted = [row.decode.batch_size for row in rows if row.decode.batch_size is not None]
        number = min(len(rows), *wanted, most or len(rows)) if wanted else min(len(rows), fit, most or fit)
        sizes = Sizes(number, columns, self._step_rows(slots))
        return captured_sizes(sizes) if slots.device.type == "cuda" else sizes

    def _step_rows(self, slots: SlotModel) -> Callable[[int], int]:
        with _threads_for(self._name):
            alone = slots.device.type == "cpu" and torch.get_num_threads() == 1
        return at_least_exact if alone else as_many

    # In fixed batches.

    def _by_batches(self, rows: Sequence[Row], request: Request) -> Iterator[list[Answer]]:
        decode = request.decode
        beams = decode.strategy == "beam"
        size = decode.batch_size or (max(1, _BEAMS // decode.num_beams) if beams else _BATCH)
        # transformers counts padding among the tokens that a text repeats.
        equal = self._sharing == "equal" or (beams and decode.repetition_penalty != 1)
        batches = plan_batches(rows, 1 if self._sharing == "none" else size, equal_lengths=equal)
        for batch in batches:
            if all(row.key in request.done for row in batch):
                continue
            decoded = self._batch(batch)
            pairs = zip(batch, decoded, strict=True)
            yield [self._answer(row, so_far) for row, so_far in pairs if row.key not in request.done]

    def _batch(self, batch: Sequence[Row]) -> list[Decoded]:
        """A batch, in halves where memory does not hold it."""
        try:
            with self._computing():
                return self._beams(batch) if batch[0].decode.strategy == "beam" else self._padded(batch)
        except (RuntimeError, MemoryError) as error:
            half = self._fewer(len(batch), batch[0], error)
        return [*self._batch(batch[:half]), *self._batch(batch[half:])]

    def _padded(self, batch: Sequence[Row]) -> list[Decoded]:
        return continue_batch(
            self._model,
            batch,
            vocabulary=vocabulary_size(self._model),
            eos=self._eos,
            stopped=self._texts.stopped,
        )

    def _beams(self, batch: Sequence[Row]) -> list[Decoded]:
        """``generate`` knows one limit a call, so rows near the end of the context go apart."""
        decoded: dict[int, Decoded] = {}
        limited = sorted(range(len(batch)), key=lambda place: batch[place].max_new_tokens)
        for limit, group in groupby(limited, key=lambda place: batch[place].max_new_tokens):
            places = list(group)
            rows = [batch[place] for place in places]
            eos = {*self._eos, *rows[0].ends}
            texts = beam_search(self._model, rows, eos=eos, stopped=self._texts.stopped)
            for place, ids in zip(places, texts, strict=True):
                decoded[place] = Decoded(limit, ids, ended=bool(ids) and ids[-1] in eos)
        return [decoded[place] for place in range(len(batch))]

    # For both.

    def _answer(self, row: Row, decoded: Decoded) -> Answer:
        return Answer(row.request, self._texts.completion(row, decoded))

    @contextmanager
    def _computing(self) -> Iterator[None]:
        try:
            with _threads_for(self._name), torch.inference_mode():
                yield
        except NanLogitsError as error:
            dtype = str(self._model.dtype).removeprefix("torch.")
            raise FlextuneError(
                f"model {self._name!r}: NaN logits at the prompt of {error.row.problem.name!r}; check "
                f"adapter and weights for NaN, or choose another dtype than {dtype} (bfloat16 or float32)"
            ) from error

    def _fewer(self, rows: int, longest: Row, error: BaseException) -> int:
        """Half as many rows after memory ran out; any other error is raised again."""
        if not is_out_of_memory(error):
            raise error
        if rows == 1:
            raise FlextuneError(
                f"model {self._name!r}: out of memory for one text of {longest.tokens} tokens "
                f"({longest.problem.name!r}); lower max_new_tokens, or use bfloat16 or a smaller model"
            ) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        _logger.warning("out of memory with %d texts side by side; continuing with %d", rows, rows // 2)
        return rows // 2


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
