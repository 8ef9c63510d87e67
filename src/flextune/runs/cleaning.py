"""What of a run nothing refers to any more, and removing it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flextune.runs import layout
from flextune.runs.pieces import Trained
from flextune.runs.run import Run


@dataclass(frozen=True, slots=True)
class Piece:
    """A folder of a run that can go.

    Attributes:
        folder: Of one key.
        reason: ``unreachable``: no score of the run, and no search, is made from it; ``unfinished``: a
            training that was cut off besides.
        bytes: That it takes.
    """

    folder: Path
    reason: str
    bytes: int


def removable(run: Run) -> list[Piece]:
    """What scores.json, tuning and matching of a run do not refer to.

    Of a run without scores nothing: it is to be continued.

    Raises:
        FlextuneError: The run cannot be read.
    """
    if not run.scores_file.is_file():
        return []
    return list(_removable(run))


def remove(run: Run, pieces: list[Piece]) -> None:
    """Remove pieces of a run, which no other process may use meanwhile.

    Raises:
        FlextuneError: Another process is in the run.
    """
    with run.locked():
        for piece in pieces:
            shutil.rmtree(piece.folder)


def _removable(run: Run) -> Iterator[Piece]:
    scores = run.scores.scores
    used: dict[str, set[str | None]] = {
        layout.TRAINED: {key for score in scores for key in score.trainings.values()} | _searched(run),
        layout.GENERATED: {key for score in scores for key in score.generations.values()},
        layout.JUDGED: {key for score in scores for key in score.judgings.values()},
    }
    for kind, keys in used.items():
        for folder in sorted(path for path in (run.folder / kind).glob("*") if path.is_dir()):
            trained = Trained(folder)
            unfinished = kind == layout.TRAINED and not trained.finished and not trained.diverged
            if folder.name not in keys:
                yield Piece(folder, "unfinished" if unfinished else "unreachable", _size(folder))


def _searched(run: Run) -> set[str | None]:
    """Keys of trainings that a search of the experiment made."""
    experiment = run.experiment
    seeds = {search.seed for search in (experiment.tune, experiment.match) if search is not None}
    return {trained.key for trained in run.trainings() if trained.settings().get("seed") in seeds}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
