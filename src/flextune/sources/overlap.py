"""Training data against evaluation problems: which problems does an example hold, nearly or in full?

Every run of five tokens of every problem goes into one index, and each example is looked up in it. That is
exact: no near copy is missed by chance, as one can be with MinHash, and a problem is found inside a
longer text, where the Jaccard index of the two is small. Evaluation sets are small enough for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from flextune.records import Example, Problem
from flextune.sources.shingles import shingles

Part = Literal["prompt", "solution"]

#: Share of a problem's runs of tokens above which an example counts as a near copy.
NEAR = 0.5

#: A part with fewer runs of its own is too short to tell a copy from chance.
SHORTEST = 8

#: Runs that more of the problems of one benchmark have than this, and more than ``FEW``, are its frame.
COMMON, FEW = 0.05, 3


@dataclass(frozen=True, slots=True)
class NearCopy:
    """A problem of which an example has a large part.

    Attributes:
        problem: Its name.
        benchmark: The problem's.
        language: The problem's.
        part: What of it: the ``prompt`` or the reference ``solution``.
        example: Name of the example that has most of it.
        share: Of the part's runs of tokens that the example has too.
        examples: How many examples have at least the threshold's share.
    """

    problem: str
    benchmark: str
    language: str
    part: Part
    example: str
    share: float
    examples: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What training data and an evaluation share.

    Attributes:
        copies: Near copies, the largest share first.
        examples: Examples compared.
        problems: Problems compared.
        short: Parts (prompts or solutions) that were too short to compare.
        threshold: The share that was asked for.
    """

    copies: tuple[NearCopy, ...]
    examples: int
    problems: int
    short: int
    threshold: float

    @property
    def touched(self) -> tuple[str, ...]:
        """Names of the problems that have a near copy, each once, as ``language name``."""
        return tuple(dict.fromkeys(f"{copy.language} {copy.problem}" for copy in self.copies))


def overlap(examples: Iterable[Example], problems: Sequence[Problem], *, threshold: float = NEAR) -> Overlap:
    """The problems that an example holds, in their prompt or in their reference solution.

    Args:
        examples: Of a training; prompts and completions are looked at together.
        problems: Of evaluations, in one or several languages.
        threshold: Smallest share of a part's runs of tokens.
    """
    index = _Index(problems)
    best: dict[int, tuple[float, str]] = {}
    counts: Counter[int] = Counter()
    number = 0
    for number, example in enumerate(examples, start=1):  # noqa: B007 - the last one is their count
        for part, share in index.shares(example_text(example)):
            if share >= threshold:
                counts[part] += 1
                if share > best.get(part, (0.0, ""))[0]:
                    best[part] = (share, example.name)
    copies = [
        NearCopy(
            index.parts[part].problem.name,
            index.parts[part].problem.benchmark,
            index.parts[part].problem.language,
            index.parts[part].kind,
            name,
            share,
            counts[part],
        )
        for part, (share, name) in best.items()
    ]
    copies.sort(key=lambda copy: (-copy.share, copy.language, copy.problem, copy.part))
    return Overlap(tuple(copies), number, len(problems), index.short, threshold)


def example_text(example: Example) -> str:
    """All of an example's text."""
    turns = [message.content for message in example.messages]
    return "\n".join([example.prompt + example.completion, *turns])


@dataclass(frozen=True, slots=True)
class _Part:
    problem: Problem
    kind: Part
    size: int


class _Index:
    """Runs of tokens -> the parts of problems that have them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.parts: list[_Part] = []
        self.short = 0
        self._places: dict[int, list[int]] = {}
        by_frame: dict[tuple[str, str, Part], list[tuple[Problem, frozenset[int]]]] = {}
        for problem in problems:
            for kind, text in _texts(problem):
                group = by_frame.setdefault((problem.benchmark, problem.language, kind), [])
                group.append((problem, shingles(text)))
        for (_, _, kind), group in by_frame.items():
            self._add(kind, group)

    def _add(self, kind: Part, group: list[tuple[Problem, frozenset[int]]]) -> None:
        """One benchmark's prompts or solutions, without what belongs to the benchmark's frame."""
        seen = Counter(run for _, runs in group for run in runs)
        most = max(FEW, COMMON * len(group))
        for problem, runs in group:
            own = [run for run in runs if seen[run] <= most]
            if len(own) < SHORTEST:
                self.short += 1
                continue
            for run in own:
                self._places.setdefault(run, []).append(len(self.parts))
            self.parts.append(_Part(problem, kind, len(own)))

    def shares(self, text: str) -> Iterable[tuple[int, float]]:
        """The parts that a text has runs of, with the share of each part's runs that it has."""
        hits = Counter(part for run in shingles(text) for part in self._places.get(run, ()))
        return ((part, count / self.parts[part].size) for part, count in hits.items())


def _texts(problem: Problem) -> Iterable[tuple[Part, str]]:
    yield "prompt", problem.posed or problem.prompt
    if problem.reference:
        yield "solution", problem.reference
