"""What every source of completions can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Protocol

from flextune.config import DecodeConfig
from flextune.records import Completion, Problem


class Engine(Protocol):
    """A model that answers problems, in this process or behind a server."""

    def generate(
        self,
        problems: Sequence[Problem],
        decode: DecodeConfig,
        *,
        seed: int,
        done: Set[tuple[str, int]] = frozenset(),
    ) -> Iterator[list[Completion]]:
        """Answer every problem ``decode.n`` times.

        Args:
            problems: Of one benchmark, language and lexicon; the complete list, also when resuming.
            decode: How.
            seed: The run's; together with problem and sample it fixes every draw.
            done: (name, sample) of answers that are there already.

        Yields:
            One list per batch, without the answers in ``done``. Together with those it is, letter by letter,
            what a run from the start gives.
        """
        ...
