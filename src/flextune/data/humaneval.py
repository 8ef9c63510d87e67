"""HumanEval (arXiv:2107.03374), 164 Python problems, and HumanEval+ (arXiv:2305.01210), with more tests."""

from __future__ import annotations

import re
from pathlib import Path

from flextune.data import evalplus
from flextune.data.origins import HubSource, load_rows
from flextune.files.rows import Row, parse_unique
from flextune.records import Problem

#: Where an answer ends for a model that keeps writing; none occurs in a reference answer.
STOPS = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```")

FILES = ("HumanEval.jsonl.gz", "HumanEval.jsonl")
HUB = HubSource("openai/openai_humaneval", "openai_humaneval", "test")

PLUS_FILES = ("HumanEvalPlus.jsonl.gz", "HumanEvalPlus.jsonl")
PLUS_HUB = HubSource("evalplus/humanevalplus", "default", "test")

_CALLED = re.compile(r"^check\(", re.MULTILINE)


def calls_check(test: str) -> bool:
    """Whether tests call their function ``check`` themselves."""
    return _CALLED.search(test) is not None


def problems(data_dir: Path | None = None) -> list[Problem]:
    """All problems in file order, their reference answers included.

    Raises:
        FlextuneError: If the file is missing everywhere, or naming the bad row.
    """
    return parse_unique(load_rows(FILES, data_dir=data_dir, hub=HUB), problem, lambda item: item.name)


def plus_problems(data_dir: Path | None = None) -> list[Problem]:
    """All problems of HumanEval+, from EvalPlus's release or from the hub.

    Raises:
        FlextuneError: If the file is missing everywhere, or naming the bad row.
    """
    rows = load_rows(PLUS_FILES, data_dir=data_dir, hub=PLUS_HUB)
    return parse_unique(rows, lambda row: problem(row, "humaneval-plus"), lambda item: item.name)


def problem(row: Row, benchmark: str = "humaneval") -> Problem:
    """One row as a problem: the tests are a ``check`` function and the call of it.

    HumanEval+ and MBPP+ have either a ``check`` in the field ``test`` with what each input must give, or
    inputs; then the reference computes what to expect while the tests run.
    """
    name = row.text("task_id")
    entry = row.text("entry_point")
    if evalplus.has_inputs(row) or "test" not in row.fields:
        check = evalplus.differential(row, entry)
    else:
        check = evalplus.without_numpy(row.text("test"))
    return Problem(
        name=name,
        benchmark=benchmark,
        language="py",
        prompt=row.text("prompt"),
        tests=check if calls_check(check) else f"{check}\ncheck({entry})",
        stop=STOPS,
        reference=row.text("canonical_solution"),
        original=name,
        entry_point=entry,
    )
