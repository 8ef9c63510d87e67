"""One run's folder: its layout, its lock, and what in it is finished."""

from __future__ import annotations

import fcntl
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.config import Experiment, dump_experiment
from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter, read_lines, read_records
from flextune.files.whole import write_whole
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict, as_row


@dataclass(frozen=True, slots=True)
class Trained:
    """``trained/<training key>/``."""

    folder: Path

    @property
    def adapter(self) -> Path:
        """PEFT folder; it appears when the training has finished."""
        return self.folder / "adapter"

    @property
    def finished(self) -> bool:
        """Whether there is an adapter."""
        return (self.adapter / "adapter_config.json").is_file()

    @property
    def diverged(self) -> bool:
        """Whether it was tried and came to no end, as ``note_divergence`` says."""
        return (self.folder / "diverged.json").is_file()

    def note_divergence(self, reason: str) -> None:
        """These settings lead nowhere; trying them again would show the same."""
        write_whole(self.folder / "diverged.json", json.dumps({"reason": reason}) + "\n")

    def validation_loss(self) -> float:
        """Of the adapter that was kept; infinite if it diverged.

        Raises:
            FlextuneError: It has none.
        """
        if self.diverged:
            return math.inf
        log = self.folder / "training.jsonl"
        for line in reversed(read_lines(log)):
            for key in ("kept_eval_loss", "eval_loss"):
                if key in line:
                    return math.inf if line[key] is None else float(line[key])
        raise FlextuneError(f"{log}: no validation loss (train.validation is 0?)")

    def describe(self, row: dict[str, Any]) -> None:
        """Say in words what the key stands for."""
        write_whole(self.folder / "key.json", json.dumps(row, indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """``evaluated/<evaluation key>/``."""

    folder: Path

    @property
    def completions_file(self) -> Path:
        """Lines of ``Completion``."""
        return self.folder / "completions.jsonl"

    @property
    def verdicts_file(self) -> Path:
        """Lines of ``Verdict``; of two for one sample the later counts."""
        return self.folder / "verdicts.jsonl"

    def describe(self, row: dict[str, Any], problems: list[Problem]) -> None:
        """Say what the key stands for, and keep the problems: the folder can be judged again alone."""
        if not (self.folder / "problems.jsonl").exists():
            lines = "".join(json.dumps(as_row(p), ensure_ascii=False) + "\n" for p in problems)
            write_whole(self.folder / "key.json", json.dumps(row, indent=2) + "\n")
            write_whole(self.folder / "problems.jsonl", lines)

    def completions(self) -> dict[tuple[str, int], Completion]:
        """What was generated so far, by (name, sample)."""
        found = read_records(self.completions_file, Completion)
        return {(completion.name, completion.sample): completion for completion in found}

    def verdicts(self) -> dict[tuple[str, int], Verdict]:
        """What was judged so far; an unknown outcome is not kept: it is judged again."""
        found = read_records(self.verdicts_file, Verdict)
        return {(v.name, v.sample): v for v in found if v.outcome not in UNKNOWN_OUTCOMES}

    def all_verdicts(self) -> dict[tuple[str, int], Verdict]:
        """As ``verdicts``, unknown outcomes included."""
        return {(v.name, v.sample): v for v in read_records(self.verdicts_file, Verdict)}

    def verdict_writer(self) -> LineWriter:
        """Appends to ``verdicts.jsonl``."""
        return LineWriter(self.verdicts_file)


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """``runs/<experiment>/``."""

    folder: Path

    @property
    def tuned_file(self) -> Path:
        """What was tuned, and every training that it took."""
        return self.folder / "tuned.json"

    @property
    def scores_file(self) -> Path:
        """Outcomes per problem and estimates."""
        return self.folder / "scores.json"

    def trained(self, key: str) -> Trained:
        """The folder of one training."""
        return Trained(self.folder / "trained" / key)

    def evaluated(self, key: str) -> Evaluated:
        """The folder of one evaluation."""
        return Evaluated(self.folder / "evaluated" / key)

    def begin(self, experiment: Experiment, environment: dict[str, Any]) -> None:
        """Write what is run and where."""
        write_whole(self.folder / "experiment.yaml", dump_experiment(experiment))
        write_whole(self.folder / "environment.json", json.dumps(environment, indent=2) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of this run.

        Raises:
            FlextuneError: Another process is in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FlextuneError(
                    f"{self.folder}: another flextune process is running this experiment; "
                    "wait for it, or choose another folder with --runs"
                ) from None
            yield


def find_run(name: str, root: Path) -> RunDirectory:
    """The run called ``name`` below ``root``, or the folder ``name`` itself.

    Raises:
        FlextuneError: Neither is a run.
    """
    for folder in (Path(name), root / name):
        if (folder / "experiment.yaml").is_file():
            return RunDirectory(folder)
    known = ", ".join(run.folder.name for run in list_runs(root)) or "none"
    raise FlextuneError(f"{name!r} is neither a run folder nor a run in {root} (runs there: {known})")


def list_runs(root: Path) -> list[RunDirectory]:
    """Every run below ``root``, by name."""
    return [RunDirectory(path.parent) for path in sorted(root.glob("*/experiment.yaml"))]
