"""Folders of samples: which files count, and that they are one model's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from flextune.errors import FlextuneError

_ENDINGS = (".json", ".json.gz", ".jsonl", ".jsonl.gz")
#: A folder of EvalPlus's, with a program of each sample.
_TASK_FOLDER = re.compile(r"(?:HumanEval|Mbpp|BigCodeBench)_\d+")
_RESULTS = re.compile(r"[._-]?eval_results\.json$")


def sample_files(path: Path) -> list[Path]:
    """The file itself, or a folder's: MultiPL-E's, EvalPlus's programs, or files of lines.

    Results beside the samples that they came from are left out.

    Raises:
        FlextuneError: The folder has none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file())
    programs = [file for file in files if file.suffix == ".py" and file.stem.isdecimal() and _is_task(file)]
    lines = [file for file in files if file.name.endswith(_ENDINGS)]
    found = [*sorted(programs, key=_by_number), *_without_results(lines, programs)]
    if not found:
        raise FlextuneError(
            f"{path}: no .json or .jsonl files in this folder, nor EvalPlus's HumanEval_0/0.py"
        )
    return found


class SampleSets:
    """Tells whether the samples of a folder come from several models.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sets: dict[tuple[str, str], Path] = {}

    def check(self, file: Path, problem: tuple[str, str]) -> None:
        """Note that ``file`` has samples of a problem.

        Raises:
            FlextuneError: Another set of samples has some, too: together they would pass for one model's.
        """
        current = self._set_of(file)
        other = self._sets.setdefault(problem, current)
        if other != current:
            places = " and in ".join(str(one.relative_to(self._path)) for one in (other, current))
            raise FlextuneError(
                f"{self._path}: samples of {problem[1]!r} are in {places}; judge each alone, "
                "because two models must not pass for one"
            )

    def _set_of(self, file: Path) -> Path:
        """The folder of an experiment with a file for each problem; other files are sets of their own."""
        if file.suffix == ".py":
            return file.parent.parent
        return file.parent if file.name.endswith((".json", ".json.gz")) else file


def _is_task(file: Path) -> bool:
    return _TASK_FOLDER.fullmatch(file.parent.name) is not None


def _by_number(file: Path) -> tuple[str, int]:
    return str(file.parent), int(file.stem)


def _without_results(files: Sequence[Path], programs: Sequence[Path]) -> list[Path]:
    there = set(files)
    kept = []
    for file in files:
        # MultiPL-E writes HumanEval_0.results.json, EvalPlus samples_eval_results.json or eval_results.json.
        multipl_e = ".results.json" in file.name
        if multipl_e and file.with_name(file.name.replace(".results", "", 1)) in there:
            continue
        stem = _RESULTS.sub("", file.name)
        evalplus = stem != file.name and (
            programs or any(file.with_name(stem + end) in there for end in _ENDINGS)
        )
        if not evalplus:
            kept.append(file)
    return kept
