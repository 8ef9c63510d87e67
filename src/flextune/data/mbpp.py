"""MBPP (arXiv:2108.07732): 974 small Python tasks, for training and for evaluation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from flextune.data.evalplus import without_numpy
from flextune.data.origins import HubSource, load_rows
from flextune.data.python_source import parse_python
from flextune.data.training_text import as_comments, normalize, pose_as_docstring
from flextune.errors import FlextuneError
from flextune.files.rows import Row, parse_unique
from flextune.records import Example, Problem

Split = Literal["prompt", "test", "validation", "train"]
Format = Literal["docstring", "paper"]

#: Task ids of each split, ends included (the authors' own division; the hub's splits are the same).
SPLITS: dict[Split, tuple[int, int]] = {
    "prompt": (1, 10),
    "test": (11, 510),
    "validation": (511, 600),
    "train": (601, 974),
}

#: The BigCode harness's stops. No ``\ndef``: many answers need a helper function.
STOPS = ("\nclass", "\nassert", '\n"""', "\nprint", "\nif", "\n```")

FILES = ("mbpp.jsonl", "mbpp.jsonl.gz")
HUB_REPO = "google-research-datasets/mbpp"


@dataclass(frozen=True, slots=True)
class MbppRow:
    """One task as published.

    Attributes:
        task_id: 1 to 974; it decides the split.
        text: What the program is to do, in a sentence.
        code: The reference program.
        tests: ``assert`` statements.
        setup: Code to run between program and tests, mostly empty.
        challenge: Harder ``assert`` statements; the scores do not use them.
        plus: The tests of MBPP+, which are run in place of ``tests``.
    """

    task_id: int
    text: str
    code: str
    tests: tuple[str, ...]
    setup: str = ""
    challenge: tuple[str, ...] = ()
    plus: str = ""

    @property
    def name(self) -> str:
        """``MBPP/601``."""
        return f"MBPP/{self.task_id}"


def read(data_dir: Path | None = None, split: Split = "train") -> list[MbppRow]:
    """Rows of one split, in file order.

    Raises:
        FlextuneError: For an unknown split, a file missing everywhere, naming the bad row, or when the
            file has none of the split.
    """
    if split not in get_args(Split):
        raise FlextuneError(f"mbpp: unknown split {split!r} (known: {', '.join(SPLITS)})")
    rows = load_rows(FILES, data_dir=data_dir, hub=HubSource(HUB_REPO, "full", split))
    first, last = SPLITS[split]
    chosen = [row for row in parse(rows) if first <= row.task_id <= last]
    if not chosen:
        raise FlextuneError(f"mbpp: no row of the {split} split (task_id {first} to {last}) in the file")
    return chosen


def parse(rows: Iterable[Row]) -> list[MbppRow]:
    """Check and type rows of MBPP, of its sanitized form (``prompt``, ``test_imports``), or of MBPP+.

    Raises:
        FlextuneError: Naming row and field, or a ``task_id`` that comes twice.
    """
    return parse_unique(rows, _parse_row, lambda row: row.task_id)


def _parse_row(row: Row) -> MbppRow:
    tests = row.texts("test_list")
    if not tests:
        raise FlextuneError(f'{row.where}: field "test_list" is empty; a task needs a test')
    imports = row.texts("test_imports") if row.fields.get("test_imports") else ()
    return MbppRow(
        task_id=_task_id(row),
        text=row.text("text" if "text" in row.fields or "prompt" not in row.fields else "prompt"),
        code=row.text("code"),
        tests=tests,
        setup="\n".join(filter(None, (*imports, row.optional_text("test_setup_code")))),
        challenge=row.texts("challenge_test_list") if row.fields.get("challenge_test_list") else (),
        plus=without_numpy(row.optional_text("test") or ""),
    )


def _task_id(row: Row) -> int:
    """A number, which some sources write as ``MBPP/601``."""
    given = row.identifier("task_id")
    number = re.fullmatch(r"(?:mbpp/)?(\d+)", given, re.IGNORECASE)
    if number is None:
        raise FlextuneError(f'{row.where}: field "task_id" must be a number, or MBPP/ and a number')
    return int(number[1])


def examples(rows: Iterable[MbppRow], format: Format) -> list[Example]:
    """Training texts; CRLF and tabs are normalized here and nowhere else.

    Args:
        rows: Tasks in the order of the examples.
        format: ``paper``: the text, the tests as comments, then the code. ``docstring``: signature and
            description as HumanEval poses them; tasks that have no function to pose are left out.
    """
    if format == "paper":
        return [_paper_example(row) for row in rows]
    posed = (_docstring_example(row) for row in rows)
    return [example for example in posed if example is not None]


def _paper_example(row: MbppRow) -> Example:
    tests = "\n".join(as_comments(normalize(test)) for test in row.tests)
    prompt = f"{normalize(row.text)}\n\n{tests}\n\n"
    return Example(row.name, prompt, normalize(row.code).strip("\n") + "\n")


def _docstring_example(row: MbppRow) -> Example | None:
    tests = "\n".join(row.tests)
    posed = pose_as_docstring(normalize(row.code), description=normalize(row.text), tests=normalize(tests))
    return None if posed is None else Example(row.name, *posed)


def problems(rows: Iterable[MbppRow]) -> list[Problem]:
    """Zero-shot problems of the BigCode harness: a docstring of the text and the first test."""
    return [problem(row) for row in rows]


def problem(row: MbppRow) -> Problem:
    """One task as a zero-shot problem."""
    return Problem(
        name=row.name,
        benchmark="mbpp-plus" if row.plus else "mbpp",
        language="py",
        prompt=f'"""\n{row.text}\n{row.tests[0]}\n"""\n',
        tests="\n".join(part for part in (row.setup, *((row.plus,) if row.plus else row.tests)) if part),
        stop=STOPS,
        reference=row.code,
        original=str(row.task_id),
        entry_point=_entry_point(row),
    )


def _entry_point(row: MbppRow) -> str | None:
    """The function that the tests call: the first of those that the reference defines."""
    code, tests = parse_python(row.code), parse_python("\n".join(row.tests))
    if code is None or tests is None:
        return None
    defined = {part.name for part in code.body if isinstance(part, ast.FunctionDef)}
    calls = [node.func for node in ast.walk(tests) if isinstance(node, ast.Call)]
    return next((call.id for call in calls if isinstance(call, ast.Name) and call.id in defined), None)
