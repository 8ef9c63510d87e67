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

        The seed decides which numbers are drawn, and nothing else: the draw for one token is a function of
        ``seed``, the problem's benchmark, language, lexicon and name, the sample, and the token's position.
        So it is the same whatever else is asked, in which order, in what batches, on which device and after
        a restart. Greedy and beam search draw nothing and do not read it. The logits are not the seed's: in
        another batch or on another device their last digits may differ, and a text with them where two
        tokens are nearly as likely (``Completion.margin``) or a draw falls between two tokens.

        Args:
            problems: Of one benchmark, language and lexicon; the complete list, also when resuming.
            decode: How.
            seed: The run's.
            done: (name, sample) of answers that are there already.

        Yields:
            One list per batch, without the answers in ``done``. Together with those it is, letter by letter,
            what a run from the start gives.
        """
        ...
