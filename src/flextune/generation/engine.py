"""What every source of completions can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from flextune.config import DecodeConfig
from flextune.records import Completion, CompletionKind, Message, Problem


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given for one problem: a text to continue, or the turns of a chat to answer.

    Attributes:
        text: What it continues; empty for a chat.
        messages: The turns, the last one the user's; empty for a text.
        suffix: What follows the gap that it fills, which begins after ``text``; None where it fills none.
        stop: Strings before which its answer ends.
        kind: How the answer becomes a program.
        whole: Whether the answer is also kept up to where the program ends (``Completion.program``).
        healing: Whether the last tokens of ``text`` are taken back, and chosen again among longer ones.
    """

    text: str = ""
    messages: tuple[Message, ...] = ()
    suffix: str | None = None
    stop: tuple[str, ...] = ()
    kind: CompletionKind = "completion"
    whole: bool = False
    healing: bool = False


@dataclass(frozen=True)
class Request:
    """Completions that are wanted of a model in one way of decoding.

    Attributes:
        problems: Of one benchmark, language and lexicon; the complete list, also when resuming.
        decode: How.
        seed: The run's.
        done: (name, sample) of the answers that are there already.
        prompts: By problem's name; a problem without one is posed as it is (``prompt_of``).
    """

    problems: Sequence[Problem]
    decode: DecodeConfig
    seed: int
    done: Set[tuple[str, int]] = frozenset()
    prompts: Mapping[str, Prompt] = field(default_factory=dict)

    def prompt_of(self, problem: Problem) -> Prompt:
        """What the model is given for a problem."""
        return self.prompts.get(problem.name) or Prompt(problem.prompt, stop=problem.stop)


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
