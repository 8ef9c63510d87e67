"""What a benchmark is: its names, its languages, and how its problems are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flextune.records import Problem


class ReadProblems(Protocol):
    """Reads the problems of one language, in the benchmark's order."""

    def __call__(
        self, language: str, lexicon: str, limit: int | None, data_dir: Path | None
    ) -> Sequence[Problem]:
        """Read the problems.

        Args:
            language: Short name of one of the benchmark's languages.
            lexicon: Wording of the descriptions; of no concern to a benchmark without lexicons.
            limit: No more than the first ``limit`` are needed; more may be returned.
            data_dir: What ``--data-dir`` gave, for ``flextune.data.origins.load_rows``.

        Raises:
            FlextuneError: The data is missing or bad.
        """


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark; register it in ``flextune.registry.BENCHMARKS`` under its name.

    Attributes:
        name: What an experiment file and ``--benchmark`` call it: ``humaneval-plus``.
        title: What tables and figures call it: ``HumanEval+``.
        languages: Short names of the languages that it has.
        problems: Reads them.
        has_lexicons: Whether its descriptions come in more than one wording.
        elsewhere: What to do about a language that it lacks, for the message.
        translates: The benchmark that has the same problems, solved in Python; problems are joined by the
            number in their names, or by name.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    problems: ReadProblems
    has_lexicons: bool = False
    elsewhere: str = ""
    translates: str | None = None
