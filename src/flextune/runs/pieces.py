"""The folders of a run: one training, the completions of one generation, the verdicts of one judging."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.data.multipl_e import problem, problem_row
from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter, read_lines, read_records, write_lines
from flextune.files.objects import read_object, write_object
from flextune.files.rows import Row
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict
from flextune.runs import layout

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
    def model(self) -> Path:
        """Model folder; it appears when a training of all weights has finished."""
        return self.folder / layout.MODEL

    @property
    def is_whole(self) -> bool:
        """Whether all weights were trained, so that there is a model and no adapter."""
        return (self.model / layout.MODEL_CONFIG).is_file()

    @property
    def result(self) -> Path:
        """What the training gave: the adapter's folder, or the model's."""
        return self.model if self.is_whole else self.adapter

    @property
    def finished(self) -> bool:
        """Whether there is an adapter, or a model."""
        return (self.adapter / layout.ADAPTER_CONFIG).is_file() or self.is_whole

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
        lines = self.log()
        kept = next((line["kept_step"] for line in lines if "kept_step" in line), math.inf)
        for line in reversed(lines):
            if "eval_loss" in line and line["step"] <= kept:
                return math.inf if line["eval_loss"] is None else float(line["eval_loss"])
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
