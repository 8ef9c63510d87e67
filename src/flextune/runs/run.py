"""The handle of one run's folder: all of flextune reads and writes it through this."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flextune.config import Experiment, dump_experiment, load_experiment
from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter, read_lines
from flextune.files.locks import FileLock
from flextune.files.objects import read_object, write_object
from flextune.files.whole import write_whole
from flextune.records import Comparison
from flextune.runs import layout
from flextune.runs.pieces import Generated, Judged, Trained
from flextune.statistics.scores_file import ScoresFile, read_scores


@dataclass(frozen=True)
class Run:
    """``runs/<experiment>/``: what it was, what is finished, and what came out.

    Everything is read once, when it is first asked for.

    Args:
        folder: Need not exist yet.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def tuned_file(self) -> Path:
        """What was tuned, and every training that it took."""
        return self.folder / layout.TUNED

    @property
    def matched_file(self) -> Path:
        """What was matched, and the norm of every training that it took."""
        return self.folder / layout.MATCHED

    @property
    def swept_file(self) -> Path:
        """What a sweep chose, from what, and what it is worth."""
        return self.folder / layout.SWEPT

    @property
    def sweep_folder(self) -> Path:
        """The trials of a sweep, a file each."""
        return self.folder / layout.SWEEP

    @property
    def scores_file(self) -> Path:
        """Outcomes per problem and estimates."""
        return self.folder / layout.SCORES

    @property
    def page(self) -> Path:
        """The report."""
        return self.folder / layout.PAGE

    def trained(self, key: str) -> Trained:
        """The folder of one training."""
        return Trained(self.folder / layout.TRAINED / key)

    def generated(self, key: str) -> Generated:
        """The folder of one generation."""
        return Generated(self.folder / layout.GENERATED / key)

    def judged(self, key: str) -> Judged:
        """The folder of one judging."""
        return Judged(self.folder / layout.JUDGED / key)

    def trainings(self) -> list[Trained]:
        """Every training that was begun, by key."""
        return [Trained(path.parent) for path in sorted(self.folder.glob(f"{layout.TRAINED}/*/{layout.KEY}"))]

    def judgings(self) -> list[Judged]:
        """Every judging that was begun, by key."""
        return [Judged(path.parent) for path in sorted(self.folder.glob(f"{layout.JUDGED}/*/{layout.KEY}"))]

    @cached_property
    def experiment(self) -> Experiment:
        """What was run.

        Raises:
            FlextuneError: There is no experiment.yaml, or it is not one that this version reads.
        """
        self.check_format()
        return load_experiment(self.folder / layout.EXPERIMENT)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions, hardware, command; empty where nothing was recorded."""
        return read_object(self.folder / layout.ENVIRONMENT)

    @cached_property
    def tuned(self) -> dict[str, Any]:
        """What was searched before the seeds; empty where nothing was.

        Raises:
            FlextuneError: The file is not as a tuning writes it.
        """
        return _searched(self.tuned_file, _is_search, "a tuning")

    @cached_property
    def matched(self) -> dict[str, Any]:
        """What was searched for updates of one norm; empty where nothing was.

        Raises:
            FlextuneError: The file is not as a matching writes it.
        """
        return _searched(self.matched_file, lambda arm: isinstance(arm, dict), "a matching")

    def lock_file(self, name: str) -> Path:
        """The file of a lock that tasks on several machines share; it is empty, and stays."""
        return self.folder / layout.LOCKS / name

    def note_work(self, row: Mapping[str, Any]) -> None:
        """Add a line to what the run's work took."""
        # Tasks of a cluster and workers of a sweep may do so at the same time.
        file = self.folder / layout.WORK
        with FileLock(file), LineWriter(file) as writer:
            writer.write([dict(row)])

    def work(self) -> list[dict[str, Any]]:
        """What the run's work took; [] where nothing was recorded."""
        return read_lines(self.folder / layout.WORK)

    @cached_property
    def swept(self) -> dict[str, Any]:
        """What a sweep found; empty where none was made, or it has not ended.

        Raises:
            FlextuneError: The file is not as a sweep writes it.
        """
        value = read_object(self.swept_file)
        if value and not isinstance(value.get("trials"), list):
            raise FlextuneError(f"{self.swept_file}: not what a sweep writes; remove it and sweep again")
        return value

    @cached_property
    def scores(self) -> ScoresFile:
        """Scores and comparisons.

        Raises:
            FlextuneError: There are none yet, or the file is damaged.
        """
        self.check_format()
        return read_scores(self.scores_file)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every arm with the baseline, in each setting."""
        return self.scores.comparisons

    def begin(self, experiment: Experiment, environment: Mapping[str, Any], *, pending: bool = True) -> None:
        """Write what is run and where.

        Args:
            experiment: What is run; without tuning or matching, that of an earlier run of this name
                is forgotten.
            environment: Where.
            pending: Whether there is work left: what is finished keeps the environment it was made in.
        """
        write_whole(self.folder / layout.EXPERIMENT, dump_experiment(experiment))
        if pending or not (self.folder / layout.ENVIRONMENT).exists():
            write_object(self.folder / layout.ENVIRONMENT, environment)
        if experiment.tune is None:
            self.tuned_file.unlink(missing_ok=True)
        if experiment.match is None:
            self.matched_file.unlink(missing_ok=True)

    def check_format(self) -> None:
        """Refuse what an earlier version wrote.

        Raises:
            FlextuneError: The folder is of format 1.
        """
        if (self.folder / layout.EVALUATED).is_dir():
            raise FlextuneError(
                f"{self.folder}: written by an earlier version of flextune (format 1), which this one cannot "
                "continue or show; remove the folder, or choose another one with --runs"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of this run.

        Raises:
            FlextuneError: Another process is in it, or an earlier version wrote it.
        """
        self.check_format()
        made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._lock():
                yield
        except BaseException:
            # A request that failed before it found anything leaves no folder behind.
            if made and not self._found():
                shutil.rmtree(self.folder)
                # Another run may lie in a folder above by now.
                with suppress(OSError):
                    for path in made[1:]:
                        path.rmdir()
            raise

    def _found(self) -> bool:
        """Whether a file holds more than what was asked for."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name not in layout.ASKED)
        return any(path.stat().st_size for path in files)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / layout.LOCK).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FlextuneError(
                    f"{self.folder}: another flextune process is running this experiment; "
                    "wait for it, or give yours another name (name=OTHER; of eval: --name OTHER)"
                ) from None
            yield

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """Work in this run beside other workers of one sweep, and keep everything else out.

        Yields:
            Whether nobody else is at work now.

        Raises:
            FlextuneError: An experiment is being run in it, or an earlier version wrote it.
        """
        self.check_format()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / layout.LOCK).open("a") as file:
            alone = True
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                alone = False
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FlextuneError(
                    f"{self.folder}: another flextune process is running this experiment; "
                    "wait for it, or give yours another name (name=OTHER; of eval: --name OTHER)"
                ) from None
            yield alone


def _searched(file: Path, is_arm: Callable[[Any], bool], writer: str) -> dict[str, Any]:
    """What a search of settings found for each arm; empty where there is no file.

    Raises:
        FlextuneError: It is not as such a search writes it.
    """
    value = read_object(file)
    arms = value.get("arms") or {}
    if not isinstance(arms, dict) or not all(map(is_arm, arms.values())):
        raise FlextuneError(f"{file}: not what {writer} writes; remove it and run the experiment again")
    return value


def _is_search(part: Any) -> bool:
    rows = [part, *part.get("trials", [None])] if isinstance(part, dict) else [None]
    return all(isinstance(row, dict) and isinstance(row.get("settings"), dict) for row in rows)


def find_run(name: str, root: Path) -> Run:
    """The run called ``name`` below ``root``, or the folder ``name`` itself.

    Raises:
        FlextuneError: Neither is a run.
    """
    for folder in (Path(name), root / name):
        if (folder / layout.EXPERIMENT).is_file():
            return Run(folder)
    known = ", ".join(run.name for run in list_runs(root)) or "none"
    raise FlextuneError(f"{name!r} is neither a run folder nor a run in {root} (runs there: {known})")


def list_runs(root: Path) -> list[Run]:
    """Every run below ``root``, by name."""
    return [Run(path.parent) for path in sorted(root.glob(f"*/{layout.EXPERIMENT}"))]
