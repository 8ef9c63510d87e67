"""The record of a sweep in the run's folder: a file for each trial, and who works on it.

Whatever a search remembers elsewhere is a copy of this. A trial is noted before its work begins and belongs
to the process that holds its lock; the kernel lets that go when the process ends, so a killed worker's trial
is free at once, with its keys, and nothing of it is done again.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.files.locks import FileLock
from flextune.files.objects import read_object, write_object
from flextune.search.base import Search, Trial

#: Seconds between two looks at what others do.
PAUSE = 0.2


@dataclass(frozen=True)
class Claim:
    """A trial that this process works on, as long as its lock is held.

    Attributes:
        trial: The trial.
        lock: Let go by the kernel where the process ends.
    """

    trial: Trial
    lock: FileLock


class Ledger:
    """A sweep's folder.

    Args:
        folder: Of the record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def _definition(self) -> Path:
        return self.folder / "sweep.json"

    def join(self, digest: str, version: Mapping[str, Any], *, alone: bool) -> None:
        """Begin a sweep, or take part in the one that is there.

        Args:
            digest: Stands for what is searched.
            version: Of the code.
            alone: Whether no other worker is at it.

        Raises:
            FlextuneError: The folder holds another sweep, or others work with another version.
        """
        there = read_object(self._definition)
        if there and there.get("digest") != digest:
            raise FlextuneError(
                f"{self._definition}: the folder holds a sweep over other keys, values or settings than this"
                " file's; name=OTHER keeps both, --replace forgets the sweep that is there"
            )
        if there and not alone and there.get("version") != dict(version):
            raise FlextuneError(
                f"{self.folder}: other workers run {_shown(there.get('version'))}, and this is"
                f" {_shown(version)}; all workers of a sweep need the same version"
            )
        if alone:
            write_object(self._definition, {"digest": digest, "version": dict(version)})

    def is_of(self, digest: str) -> bool:
        """Whether a sweep over the same was begun here."""
        return bool(read_object(self._definition).get("digest") == digest)

    def forget(self) -> None:
        """Remove the record; what was trained, generated and judged stays."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def trials(self) -> list[Trial]:
        """Every trial, by number.

        Raises:
            FlextuneError: A damaged file.
        """
        return [_trial(row) for row in self.rows()]

    def rows(self) -> list[dict[str, Any]]:
        """The trials as they are written."""
        return [read_object(path) for path in sorted((self.folder / "trials").glob("*.json"))]

    def row(self, number: int) -> dict[str, Any]:
        """One trial as it is written."""
        return read_object(self._file(number))

    def note(self, number: int, **fields: Any) -> None:
        """Write down more about a trial of ours."""
        write_object(self._file(number), {**self.row(number), **fields})

    def claim(self, search: Search, stop: Callable[[], bool] = lambda: False) -> Claim | None:
        """A trial to work on: one that a worker left, or the search's next; None when all have ended.

        Waits while others are at work on what might be left to us.

        Args:
            search: Asked by one process at a time.
            stop: Asked while waiting; true ends the wait with None.
        """
        while not stop():
            with FileLock(self.folder / "locks" / "ask"):
                trials = self.trials()
                running = [trial for trial in trials if trial.state == "running"]
                for trial in running:
                    if claimed := self._take(trial):
                        return claimed
                if not (search.in_turn and running):
                    proposal = search.propose(trials)
                    if proposal is not None:
                        number = len(trials)
                        trial = Trial(number, proposal.settings, proposal=proposal.proposal)
                        claimed = self._take(trial)
                        if claimed is None:
                            raise FlextuneError(f"{self._file(number)}: removed while a worker is at it")
                        self._begin(trial)
                        return claimed
                    if not running:
                        return None
            time.sleep(PAUSE)
        return None

    @contextlib.contextmanager
    def keyed(self, *keys: str) -> Iterator[None]:
        """Keep other workers from the same trainings, generations or judgings until it is left."""
        with contextlib.ExitStack() as stack:
            # In one order everywhere, so that no two workers wait for each other.
            for key in sorted(set(keys)):
                stack.enter_context(FileLock(self.folder / "locks" / key))
            yield

    def _take(self, trial: Trial) -> Claim | None:
        lock = FileLock(self.folder / "locks" / f"trial-{trial.number:05}")
        if lock.try_to_take():
            return Claim(trial, lock)
        lock.close()
        return None

    def _begin(self, trial: Trial) -> None:
        write_object(
            self._file(trial.number),
            {
                "number": trial.number,
                "settings": trial.settings,
                "proposal": trial.proposal,
                "state": trial.state,
                "value": None,
            },
        )

    def _file(self, number: int) -> Path:
        return self.folder / "trials" / f"{number:05}.json"


def _trial(row: Mapping[str, Any]) -> Trial:
    try:
        return Trial(row["number"], row["settings"], row["state"], row["value"], row.get("proposal"))
    except KeyError as error:
        raise FlextuneError(
            f"a trial of the sweep has no {error}; remove the run's folder sweep/ and sweep again"
        ) from None


def _shown(version: Any) -> str:
    if not isinstance(version, Mapping):
        return "an unknown version"
    commit = version.get("commit")
    return f"flextune {version.get('flextune')}" + (f" at commit {commit}" if commit else "")
