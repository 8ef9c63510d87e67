"""Token by token through the slots: rows leave as they end, and the next ones take their places.

``transformers.generate`` keeps every row until the last one of its batch has ended; for answers of mixed
length that is most of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from flextune.generation.local.choice import Choice
from flextune.generation.local.decoded import LOOK_EVERY, Decoded, Stopped, look, with_gaps
from flextune.generation.local.rows import Row
from flextune.generation.local.slots import EXACT_ROWS, SlotCache, SlotModel

#: Tokens of prompts that are read at a time, padding included.
_READ_AT_ONCE = 8192

#: Attention looks at a multiple of so many columns: its shapes change seldom, and no vector of the processor
#: is cut, which would round differently (8 columns with AVX2, 16 with AVX-512).
COLUMN_STEP = 16

#: Logits after one more token: (cache, tokens, lengths, columns) -> (rows, vocabulary).
Step = Callable[[SlotCache, Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Sizes:
    """How much is decoded side by side.

    Attributes:
        slots: Rows at most.
        columns: Tokens of a row at most.
        rows: How many rows a step has where so many are taken: a step may be given more, which do not count.
        column_step: Columns of a step are a multiple of it.
    """

    slots: int
    columns: int
    rows: Callable[[int], int]
    column_step: int = COLUMN_STEP


def at_least_exact(rows: int) -> int:
    """Rows of a step on one thread of a CPU, so that no text depends on how many others there are."""
    return max(rows, EXACT_ROWS)


def as_many(rows: int) -> int:
    """Just the rows that are there."""
    return rows


def power_of_two(rows: int) -> int:
    """Rows of a captured step: few sizes, each captured once."""
    return 1 << (rows - 1).bit_length()


class SlotLoop:
    """Rows that are decoded side by side.

    Args:
        model: The model.
        step: Computes one step: ``model.step``, or a captured one.
        rows: All rows, in the order in which they are begun; no prompt empty, each with a new token at least.
        sizes: Slots and columns, which hold every row.
        vocabulary: Logits of a row.
        eos: Ids that end a text.
        stopped: Whether the last tokens of a row hold a stop string.
    """

    def __init__(
        self,
        model: SlotModel,
        step: Step,
        rows: Sequence[Row],
        sizes: Sizes,
        *,
        vocabulary: int,
        eos: Collection[int],
        stopped: Stopped,
    ) -> None:
        self._model, self._step, self._sizes = model, step, sizes
        self._eos, self._stopped = eos, stopped
        self.pending = list(reversed(rows))
        self._live: list[Row] = []
        self._decoded: list[Decoded] = []
        # Slots behind those that are taken may be computed along: they hold anything.
        slots = max(sizes.slots, sizes.rows(sizes.slots))
        self._cache = model.cache(slots, sizes.columns)
        self._tokens = torch.zeros(slots, dtype=torch.long, device=model.device)
        self._lengths = torch.zeros(slots, dtype=torch.long, device=model.device)
        self._choice = Choice(slots, rows, vocabulary, model.device)

    @property
    def unfinished(self) -> list[Row]:
        """Rows that have not been handed out, in the order in which they would be begun."""
        return [*self._live, *reversed(self.pending)]

    def run(self) -> Iterator[list[tuple[Row, Decoded]]]:
        """Rows as they finish.

        Raises:
            NanLogitsError: The model computed NaN for a row.
        """
        while self._live or self.pending:
            self._admit()
            recent = self._steps()
            running = look(self._live, self._decoded, recent, self._eos, self._stopped)
            if len(running) < len(self._live):
                yield self._leave(running)

    def _admit(self) -> None:
        """Begin rows where slots are free, several at a time."""
        free = self._sizes.slots - len(self._live)
        if not self.pending or (self._live and free < max(1, self._sizes.slots // 8)):
            return
        rows = [self.pending.pop() for _ in range(min(free, len(self.pending)))]
        first = len(self._live)
        self._live += rows
        self._decoded += [Decoded(row.max_new_tokens) for row in rows]
        places = slice(first, first + len(rows))
        self._lengths[places] = torch.tensor([len(row.prompt) - 1 for row in rows])
        self._tokens[places] = torch.tensor([row.prompt[-1] for row in rows])
        self._choice.admit(rows)
        self._read(rows, first)

    def _read(self, rows: Sequence[Row], first: int) -> None:
        """Read prompts, each once, up to their last token: the first step takes that."""
        slots: dict[tuple[int, ...], list[int]] = {}
        for slot, row in enumerate(rows, start=first):
            if len(row.prompt) > 1:
                slots.setdefault(row.prompt[:-1], []).append(slot)
        for prompts in _together(list(slots), self._model.prompt_columns):
            states = self._model.read(prompts)
            pairs = [(slot, source) for source, prompt in enumerate(prompts) for slot in slots[prompt]]
            targets, sources = torch.tensor(pairs, device=self._model.device).T
            self._cache.fill(targets, states, sources)

    def _steps(self) -> list[Tensor]:
        """Steps until the next look; returns ``with_gaps`` of each."""
        taken = len(self._live)
        rows = min(self._sizes.rows(taken), len(self._tokens))
        most = max(row.max_new_tokens - len(so_far.ids) for row, so_far in self._pairs())
        recent: list[Tensor] = []
        for _ in range(min(LOOK_EVERY, most)):
            columns = self._columns(len(recent))
            logits = self._step(self._cache, self._tokens[:rows], self._lengths[:rows], columns)[:taken]
            logits = self._choice.allowed(logits)
            tokens = self._choice.choose(logits)
            recent.append(with_gaps(logits, tokens))
            self._tokens[:taken] = tokens
            # A row may run past its limit until it is looked at.
            self._lengths[:taken] = (self._lengths[:taken] + 1).clamp(max=self._sizes.columns - 1)
        return recent

    def _columns(self, ahead: int) -> int:
        longest = max(len(row.prompt) + len(so_far.ids) for row, so_far in self._pairs()) + ahead
        step = self._sizes.column_step
        return min(-(-longest // step) * step, self._sizes.columns)

    def _pairs(self) -> list[tuple[Row, Decoded]]:
        return list(zip(self._live, self._decoded, strict=True))

    def _leave(self, running: Sequence[int]) -> list[tuple[Row, Decoded]]:
        """Take out the rows that are not in ``running``; the last ones move into their slots."""
        stays = set(running)
        left = [slot for slot in range(len(self._live)) if slot not in stays]
        finished = [(self._live[slot], self._decoded[slot]) for slot in left]
        holes = [slot for slot in left if slot < len(running)]
        movers = [slot for slot in running if slot >= len(running)]
        order = list(range(len(running)))
        for hole, mover in zip(holes, movers, strict=True):
            order[hole] = mover
        if holes:
            columns = self._columns(0)
            target, source = (torch.tensor(slots, device=self._model.device) for slots in (holes, movers))
            self._cache.move(target, source, columns)
            for values in (self._tokens, self._lengths):
                values[target] = values[source]
        self._choice.keep(order)
        self._live = [self._live[slot] for slot in order]
        self._decoded = [self._decoded[slot] for slot in order]
        return finished


def _together(
    prompts: Sequence[tuple[int, ...]], columns: Callable[[int], int]
) -> Iterator[list[tuple[int, ...]]]:
    """Neighbours in length that are read in one pass."""
    group: list[tuple[int, ...]] = []
    for prompt in sorted(prompts, key=len, reverse=True):
        if group and columns(len(group[0])) * (len(group) + 1) > _READ_AT_ONCE:
            yield group
            group = []
        group.append(prompt)
    if group:
        yield group
