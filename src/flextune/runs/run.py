"""The handle of one run's folder: all of flextune reads and writes it through this."""

from __future__ import annotations

import fcntl
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flextune.config import Experiment, dump_experiment, load_experiment
from flextune.data.multipl_e import problem, problem_row
from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter, read_lines, read_records, write_lines
from flextune.files.objects import read_object, write_object
from flextune.files.rows import Row
from flextune.files.whole import write_whole
from flextune.records import UNKNOWN_OUTCOMES, Comparison, Completion, Problem, Verdict
from flextune.runs import layout
from flextune.statistics.scores_file import ScoresFile, read_scores

Sample = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A folder with a key for a name."""

    folder: Path

    @property
    def key(self) -> str:
        """The key."""
        return self.folder.name

    def describe(self, row: Mapping[str, Any]) -> None:
        """Write what the key stands for, in words."""
        write_object(self.folder / layout.KEY, row)

    def settings(self) -> dict[str, Any]:
        """What ``describe`` wrote; empty if nothing was.

        Raises:
            FlextuneError: The file holds something else.
        """
        return read_object(self.folder / layout.KEY)


class Trained(Keyed):
    """``trained/<training key>/``."""

    @property
    def adapter(self) -> Path:
        """PEFT folder; it appears when the training has finished."""
        return self.folder / layout.ADAPTER

    @property
    def finished(self) -> bool:
        """Whether there is an adapter."""
        return (self.adapter / layout.ADAPTER_CONFIG).is_file()

    @property
    def diverged(self) -> bool:
        """Whether the training ended in a loss that is not finite."""
        return (self.folder / layout.DIVERGED).is_file()

    def note_divergence(self, reason: str) -> None:
        """Record that these settings diverged, so that they are not retried."""
        write_object(self.folder / layout.DIVERGED, {"reason": reason})

    def log(self) -> list[dict[str, Any]]:
        """Lines of the training's log; [] before it began."""
        return read_lines(self.folder / layout.TRAINING_LOG)

    def spectrum(self) -> list[dict[str, Any]]:
        """A row for each matrix of the adapter; [] where none was measured."""
        return list(read_object(self.folder / layout.SPECTRUM).get("matrices") or ())

    @property
    def merges_folder(self) -> Path:
        """Audits of merges of the adapter, a file each."""
        return self.folder / layout.MERGES

    def merges(self) -> dict[str, dict[str, Any]]:
        """The audits by name; empty where none was made."""
        return {path.stem: read_object(path) for path in sorted(self.merges_folder.glob("*.json"))}

    def validation_loss(self) -> float:
        """Of the adapter that was kept; infinite if it diverged.

        Raises:
            FlextuneError: It has none.
        """
        if self.diverged:
            return math.inf
        for line in reversed(self.log()):
            for name in ("kept_eval_loss", "eval_loss"):
                if name in line:
                    return math.inf if line[name] is None else float(line[name])
        log = self.folder / layout.TRAINING_LOG
        raise FlextuneError(f"{log}: no validation loss (train.validation_size is 0?)")


class Generated(Keyed):
    """``generated/<generation key>/``: problems and completions."""

    @property
    def completions_file(self) -> Path:
        """Lines of ``Completion``."""
        return self.folder / layout.COMPLETIONS

    def begin(
        self, row: Mapping[str, Any], problems: Sequence[Problem], prompts: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Write what the key stands for and its problems, unless they are there: the folder stands alone.

        Args:
            row: What the key stands for.
            problems: That are posed.
            prompts: How, where that is not as they are: a row for each.
        """
        file = self.folder / layout.PROBLEMS
        if not file.exists():
            self.describe(row)
            if prompts:
                write_lines(self.folder / layout.PROMPTS, prompts)
            write_lines(file, map(problem_row, problems))

    def problems(self) -> list[Problem]:
        """The problems that were posed.

        Raises:
            FlextuneError: A damaged line, with file and line.
        """
        file = self.folder / layout.PROBLEMS
        rows = enumerate(read_lines(file), start=1)
        return [problem(Row(f"{file}:{number}", fields)) for number, fields in rows]

    def completions(self) -> dict[Sample, Completion]:
        """What was generated so far, by (name, sample)."""
        records = read_records(self.completions_file, Completion)
        return {(completion.name, completion.sample): completion for completion in records}


class Judged(Keyed):
    """``judged/<judging key>/``: verdicts on the completions of one generation."""

    @property
    def verdicts_file(self) -> Path:
        """Lines of ``Verdict``; of two for one sample the later counts."""
        return self.folder / layout.VERDICTS

    def verdicts(self) -> dict[Sample, Verdict]:
        """What was judged so far, by (name, sample)."""
        return {(v.name, v.sample): v for v in read_records(self.verdicts_file, Verdict)}

    def known_verdicts(self) -> dict[Sample, Verdict]:
        """As ``verdicts``, without unknown outcomes, which are judged again."""
        return {key: v for key, v in self.verdicts().items() if v.outcome not in UNKNOWN_OUTCOMES}

    def writer(self) -> LineWriter:
        """Appends verdicts."""
        return LineWriter(self.verdicts_file)


@dataclass(frozen=True)
class Run:
    """``runs/<experiment>/``: what it was, what is finished, and what came out.

    Everything is read when it is asked for, and once.

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
        value = read_object(self.tuned_file)
        arms = value.get("arms") or {}
        if not isinstance(arms, dict) or not all(map(_is_search, arms.values())):
            raise FlextuneError(
                f"{self.tuned_file}: not what a tuning writes; remove it and run the experiment again"
            )
        return value

    @cached_property
    def matched(self) -> dict[str, Any]:
        """What was searched for updates of one norm; empty where nothing was.

        Raises:
            FlextuneError: The file is not as a matching writes it.
        """
        value = read_object(self.matched_file)
        arms = value.get("arms") or {}
        if not isinstance(arms, dict) or not all(isinstance(row, dict) for row in arms.values()):
            raise FlextuneError(
                f"{self.matched_file}: not what a matching writes; remove it and run the experiment again"
            )
        return value

    def note_work(self, row: Mapping[str, Any]) -> None:
        """Add a line to what the run's work took."""
        with LineWriter(self.folder / layout.WORK) as writer:
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
                    "wait for it, or choose another folder with --runs"
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
                    "wait for it, or choose another folder with --runs"
                ) from None
            yield alone


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
