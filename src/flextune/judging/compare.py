"""Two files of verdicts, compared problem by problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.judging.verdict_files import latest_verdicts, origin, verdict_file
from flextune.records import UNKNOWN_OUTCOMES, Comparison, Score


@dataclass(frozen=True, slots=True)
class Side:
    """What one file of verdicts holds.

    Attributes:
        path: As it was given.
        score: Its outcomes; a fixed model's.
        languages: Short names, sorted; empty where the verdicts name none.
        benchmark: With its wording, where the folder says what was evaluated; else empty.
        model: With its adapter, where the folder says so; else empty.
    """

    path: Path
    score: Score
    languages: tuple[str, ...]
    benchmark: str
    model: str

    @property
    def outcomes(self) -> dict[str, list[Any]]:
        """Problem to the outcomes of its samples."""
        return self.score.outcomes["-"]

    @property
    def known(self) -> int:
        """Programs whose outcome is known."""
        return sum(o not in UNKNOWN_OUTCOMES for outcomes in self.outcomes.values() for o in outcomes)

    @property
    def passed(self) -> int:
        """Programs that passed."""
        return sum(outcomes.count("passed") for outcomes in self.outcomes.values())


def compare_files(
    first: Path | str, second: Path | str, *, margin: float = 2.0, across: bool = False
) -> Comparison:
    """Compare two verdict files, or two evaluation folders, on their common problems.

    Args:
        first: Becomes the comparison's ``arm``: a positive difference means that it is better.
        second: Becomes its ``baseline``.
        margin: Percentage points within which both count as the same.
        across: Compare files of different languages or benchmarks, too.

    Raises:
        FlextuneError: One is no verdict file, has a verdict twice, or they have no problem in common; they
            are of different languages or benchmarks, or one file.
    """
    return compare_sides(read_side(Path(first)), read_side(Path(second)), margin=margin, across=across)


def compare_sides(first: Side, second: Side, *, margin: float = 2.0, across: bool = False) -> Comparison:
    """As ``compare_files``, of files that were read."""
    # numpy and scipy take longer to load than most files of verdicts to judge.
    from flextune.statistics.summary import compare

    if verdict_file(first.path).samefile(verdict_file(second.path)):
        raise FlextuneError(f"{first.path} and {second.path} are one file: give two to compare")
    if not across:
        _check_same("language", ", ".join(first.languages), ", ".join(second.languages), first, second)
        _check_same("benchmark", first.benchmark, second.benchmark, first, second)
    if not first.outcomes.keys() & second.outcomes.keys():
        raise FlextuneError(f"{first.path} and {second.path} have no problem in common: nothing to compare")
    return compare(first.score, second.score, margin / 100)


def read_side(path: Path) -> Side:
    """A file of verdicts (``read_verdicts`` says which), or the folder that holds one.

    Raises:
        FlextuneError: It is none, an outcome is unknown to flextune, or a sample has two verdicts.
    """
    file = verdict_file(path)
    latest = latest_verdicts(file)
    shared = Counter(name for name, _ in {(name, language) for language, name, _ in latest})
    rows: dict[str, list[Any]] = {}
    for language, name, sample in sorted(latest):
        # Two languages of one file may have problems of the same name.
        shown = f"{name} ({language})" if shared[name] > 1 else name
        rows.setdefault(shown, []).append(latest[language, name, sample].outcome)
    languages = tuple(sorted({language for language, _, _ in latest if language}))
    found = origin(file.parent)
    score = Score(str(path), "verdicts", "-", None, "-", {"-": rows})
    return Side(path, score, languages, found.benchmark, found.model)


def _check_same(what: str, ours: str, theirs: str, first: Side, second: Side) -> None:
    if ours and theirs and ours != theirs:
        raise FlextuneError(
            f"{first.path} is of {what} {ours}, {second.path} of {theirs}: the numbers would not be about "
            "the models alone; --across compares them nevertheless"
        )


def only_in(first: Side, second: Side) -> Iterator[tuple[str, int]]:
    """How many problems only one of both files holds: ``("A", 3)``."""
    for name, ours, theirs in (("A", first, second), ("B", second, first)):
        missing = len(ours.outcomes.keys() - theirs.outcomes.keys())
        if missing:
            yield name, missing
