"""What every source of completions can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from flextune.config import DecodeConfig
from flextune.records import Completion, Problem


@dataclass(frozen=True)
class Request:
    """Completions that are wanted of a model in one way of decoding.

    Attributes:
        problems: Of one benchmark, language and lexicon; the complete list, also when resuming.
        decode: How.
        seed: The run's.
        done: (name, sample) of the answers that are there already.
    """

    problems: Sequence[Problem]
    decode: DecodeConfig
    seed: int
    done: Set[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion, and the place of its request among those that were asked together."""

    request: int
    completion: Completion


class Engine(Protocol):
    """A model that answers problems, in this process or behind a server."""

    def answer(self, requests: Sequence[Request]) -> Iterator[list[Answer]]:
        """Answer every problem of every request ``decode.n`` times.

        A request's seed decides which numbers are drawn, and nothing else: the draw for one token is a
        function of the seed, the problem's benchmark, language, lexicon and name, the sample, and the token's
        position. So it is the same whatever else is asked, in which order, on which device and after a
        restart, and two settings can be compared on the same draws. Greedy and beam search draw nothing and
        do not read it. The logits are not the seed's: on another device, or among other neighbours, their
        last digits may differ, and a text with them where two tokens are nearly as likely
        (``Completion.margin``) or a draw falls between two tokens.

        Yields:
            Answers as they finish, without those in ``Request.done``.
        """
        ...
