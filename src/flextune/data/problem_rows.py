"""Problems of a user's file: MultiPL-E's rows, or those of HumanEval, HumanEval+, MBPP and APPS."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from flextune.data import apps, humaneval, mbpp, multipl_e
from flextune.data.samples.reading import cannot_be_judged, nothing_left
from flextune.errors import FlextuneError
from flextune.files.lenient import Placed, Skipped, read_values, skipped_by
from flextune.files.rows import Row, json_kind
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
    if "entry_point" in row.fields and "task_id" in row.fields:
        return humaneval.problem(row, benchmark)
    if "test_list" in row.fields and "task_id" in row.fields:
        return mbpp.problem(next(iter(mbpp.parse([row]))))
    if "input_output" in row.fields and "question" in row.fields:
        return apps.problem(apps.parse_row(row))
    problem = multipl_e.problem(row, benchmark)
    if problem.language not in judged:
        raise FlextuneError(f"{item.where}: {cannot_be_judged(problem.language, judged)}")
    return problem


def _name(item: Placed) -> str | None:
    name = item.value.get("name", item.value.get("task_id")) if isinstance(item.value, dict) else None
    return str(name) if isinstance(name, str) or type(name) is int else None
