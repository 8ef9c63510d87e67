"""Two files of verdicts, compared problem by problem."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.judging.files import Identity, identity
from flextune.judging.verdict_files import read_verdicts
from flextune.records import OUTCOMES, UNKNOWN_OUTCOMES, Comparison, Score, Verdict

VERDICTS = "verdicts.jsonl"
#: Evaluations of a run that an error names.
EVALUATIONS_SHOWN = 8


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
            are of different languages or benchmarks.
    """
    return compare_sides(read_side(Path(first)), read_side(Path(second)), margin=margin, across=across)


def compare_sides(first: Side, second: Side, *, margin: float = 2.0, across: bool = False) -> Comparison:
    """As ``compare_files``, of files that were read."""
    # numpy and scipy take longer to load than most files of verdicts to judge.
    from flextune.statistics.summary import compare

    if not across:
        _check_same("language", ", ".join(first.languages), ", ".join(second.languages), first, second)
        _check_same("benchmark", first.benchmark, second.benchmark, first, second)
    if not first.outcomes.keys() & second.outcomes.keys():
        raise FlextuneError(f"{first.path} and {second.path} have no problem in common: nothing to compare")
    return compare(first.score, second.score, margin / 100)


def read_side(path: Path) -> Side:
    """A file of verdicts, or the folder that holds one.

    Raises:
        FlextuneError: It is none, an outcome is unknown to flextune, or a sample has two verdicts.
    """
    file = path / VERDICTS if path.is_dir() else path
    if not file.is_file():
        evaluations = [folder.parent for folder in sorted(path.glob(f"judged/*/{VERDICTS}"))]
        if evaluations:
            raise FlextuneError(f"{path}: a run; give one of its evaluations: {_listed(evaluations)}")
        what = "no verdicts.jsonl in this folder" if path.is_dir() else "no such verdict file"
        raise FlextuneError(
            f"{path}: {what}; give a file of flextune judge -o, or a folder runs/NAME/judged/KEY"
        )
    latest = _latest(file)
    if not latest:
        raise FlextuneError(f"{file}: no verdicts in it")
    shared = Counter(name for name, _ in {(name, language) for language, name, _ in latest})
    rows: dict[str, list[Any]] = {}
    for language, name, sample in sorted(latest):
        # Two languages of one file may have problems of the same name.
        shown = f"{name} ({language})" if shared[name] > 1 else name
        rows.setdefault(shown, []).append(latest[language, name, sample].outcome)
    languages = tuple(sorted({language for language, _, _ in latest if language}))
    model, benchmark = _origin(file.parent)
    return Side(path, Score(str(path), "verdicts", "-", None, "-", {"-": rows}), languages, benchmark, model)


def _latest(file: Path) -> dict[Identity, Verdict]:
    """The verdicts of a file. One that said nothing about its program may be followed by another."""
    latest: dict[Identity, Verdict] = {}
    lines: dict[Identity, int] = {}
    for number, verdict in read_verdicts(file):
        key = identity(verdict)
        place = f"{verdict.name}, sample {verdict.sample}"
        if verdict.outcome not in OUTCOMES:
            known = ", ".join(OUTCOMES)
            raise FlextuneError(
                f"{file}:{number}: unknown outcome {verdict.outcome!r} ({place}; known: {known})"
            )
        if key in latest and latest[key].outcome not in UNKNOWN_OUTCOMES:
            raise FlextuneError(
                f"{file}:{number}: a second verdict on {place} (the first is in line {lines[key]}); "
                "remove one, or number the samples"
            )
        latest[key], lines[key] = verdict, number
    return latest


def _origin(folder: Path) -> tuple[str, str]:
    """Model and benchmark of an evaluation's folder; empty where it does not say."""
    generation = _json(folder / "key.json").get("generation")
    row = _json(folder.parent.parent / "generated" / str(generation) / "key.json") if generation else {}
    part = row.get("evaluate") or {}
    model = [row.get("model"), row.get("training") or row.get("adapter"), row.get("export")]
    # The base model has no adapter that could be merged.
    names = [str(name) for name in (model if model[1] else model[:1]) if name and name != "adapter"]
    lexicon = part.get("lexicon") if part.get("benchmark") == "rosetta" else None
    return "+".join(names), " ".join(str(name) for name in (part.get("benchmark"), lexicon) if name)


def _listed(folders: Sequence[Path]) -> str:
    named = [
        f"{folder} ({' '.join(filter(None, _origin(folder)))})" for folder in folders[:EVALUATIONS_SHOWN]
    ]
    more = len(folders) - EVALUATIONS_SHOWN
    return ", ".join(named) + (f", and {more} more" if more > 0 else "")


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


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
