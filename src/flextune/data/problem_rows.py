"""Problems of a user's file: MultiPL-E's rows, or those of another benchmark, told by their fields."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from flextune.data import (
    apps,
    bigcodebench,
    code_contests,
    humaneval,
    humaneval_x,
    livecodebench,
    mbpp,
    multipl_e,
)
from flextune.data.samples.reading import cannot_be_judged, nothing_left
from flextune.data.verdict_rows import refuse_verdict
from flextune.errors import FlextuneError
from flextune.files.lenient import Placed, Skipped, read_values, skipped_by
from flextune.files.rows import Row, json_kind
from flextune.languages import language_of_row
from flextune.records import Problem


@dataclass(frozen=True)
class Problems:
    """What a file of problems gave.

    Attributes:
        found: In file order; a name comes once in a language.
        skipped: Rows that were left out.
    """

    found: tuple[Problem, ...]
    skipped: tuple[Skipped, ...] = ()


def read_problems(path: Path, judged: Collection[str]) -> Problems:
    """Problems of a file; languages and formats may be mixed, and a bad row costs only itself.

    Args:
        path: JSON lines or a JSON list, packed or not.
        judged: Languages that can be judged; rows of others are skipped.

    Raises:
        FlextuneError: The file cannot be read, or has no problem that can be judged.
    """
    found: dict[tuple[str, str], Problem] = {}
    places: dict[tuple[str, str], str] = {}
    skipped: list[Skipped] = []
    for item in read_values(path):
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        try:
            problem = _problem(item, path.name.partition(".")[0], judged)
        except FlextuneError as error:
            skipped.append(skipped_by(error, item.where, _name(item)))
            continue
        key = (problem.language, problem.name)
        if key in found:
            reason = (
                f"{problem.name!r} ({problem.language}) is there already ({places[key]}); names are unique"
            )
            skipped.append(Skipped(item.where, reason))
        else:
            found[key], places[key] = problem, item.where
    if found:
        return Problems(tuple(found.values()), tuple(skipped))
    raise FlextuneError(nothing_left(path, "problems", skipped) if skipped else f"{path}: no problems in it")


def _problem(item: Placed, benchmark: str, judged: Collection[str]) -> Problem:
    if not isinstance(item.value, dict):
        raise FlextuneError(f"{item.where}: a problem is a JSON object (found: {json_kind(item.value)})")
    row = Row(item.where, item.value)
    _refuse(row)
    problem = _read(row, benchmark)
    if problem.language != "py" and problem.language not in judged:
        raise FlextuneError(f"{item.where}: {cannot_be_judged(problem.language, judged)}")
    return problem


def _read(row: Row, benchmark: str) -> Problem:
    for source in (livecodebench, bigcodebench, code_contests, humaneval_x):
        if source.is_row(row):
            return source.problem(row)
    if "entry_point" in row.fields and "task_id" in row.fields:
        return humaneval.problem(row, benchmark)
    if "test_list" in row.fields and "task_id" in row.fields:
        return mbpp.problem(next(iter(mbpp.parse([row]))))
    if "input_output" in row.fields and "question" in row.fields:
        return apps.problem(apps.parse_row(row))
    return multipl_e.problem(row, benchmark)


# What a row of a benchmark has that cannot be read, and why.
_REFUSED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"code_context", "reference_code"}), "DS-1000 rows are not read: they test code as a text"),
    (frozenset({"instance_id", "patch"}), "SWE-bench rows are not read: they test a whole repository"),
    (
        frozenset({"code", "input", "output", "id"}),
        "CRUXEval rows are not read: an answer to them is no program",
    ),
    (
        frozenset({"question_id", "test_list", "function_name"}),
        "LiveCodeBench rows of test output prediction are not read: an answer to them is no program",
    ),
    (frozenset({"methods_info", "class_name"}), "ClassEval rows are not read: they test a class in parts"),
)
_ANSWERS = {"completion", "answer", "solution", "completions"}


def _refuse(row: Row) -> None:
    """Return unless a row is known not to be read.

    Raises:
        FlextuneError: It is; in one line, with the reason.
    """
    for fields, reason in _REFUSED:
        if fields <= row.fields.keys():
            raise FlextuneError(f"{row.where}: {reason}")
    if _ANSWERS & row.fields.keys() and not {"prompt", "question", "tests"} & row.fields.keys():
        raise FlextuneError(
            f"{row.where}: this is a sample, not a problem; give its file as --samples of judge"
        )
    refuse_verdict(row, "a problem")
    language = row.optional_text("language") if {"entry_point", "task_id"} <= row.fields.keys() else None
    if language is not None and language_of_row(language) != "py":
        raise FlextuneError(
            f"{row.where}: rows of HumanEval's format are read in Python alone, not in {language!r}; use "
            "MultiPL-E's format"
        )


def _name(item: Placed) -> str | None:
    fields = item.value if isinstance(item.value, dict) else {}
    name = next((fields[key] for key in ("name", "task_id", "question_id") if key in fields), None)
    return str(name) if isinstance(name, str) or type(name) is int else None
