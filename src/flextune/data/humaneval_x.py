"""HumanEval-X (arXiv:2303.17568) and HumanEvalPack (arXiv:2308.07124): HumanEval, translated by hand."""

from __future__ import annotations

import re

from flextune.data import humaneval
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.languages import canonical, language_name
from flextune.records import Problem

_NAME = re.compile(r"(Python|CPP|Java|JavaScript|Go|Rust)/\d+")
_PYTHON_FUNCTION = re.compile(r"^def\s+(\w+)", re.MULTILINE)
# Why their tests cannot be run as they stand.
_NOT_READ = {
    "go": "their tests need the module testify, which programs do not have",
    "rs": "their tests need cargo test",
}
# Node prints a failed ``console.assert`` and goes on.
_ASSERTING = "console.assert = require('node:assert').ok;\n"


def is_row(row: Row) -> bool:
    """Whether a row is one of the two, which say the language in ``task_id``: ``Java/0``."""
    name = row.fields.get("task_id")
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and "test" in row.fields


def problem(row: Row) -> Problem:
    """One row as a problem.

    Raises:
        FlextuneError: For a missing field, or a language whose rows are not read.
    """
    name = row.text("task_id")
    language = canonical({"CPP": "C++"}.get(name.partition("/")[0], name.partition("/")[0]))
    if language in _NOT_READ:
        raise FlextuneError(
            f"{row.where}: {language_name(language)} rows of HumanEval-X and HumanEvalPack are not read: "
            f"{_NOT_READ[language]}"
        )
    prompt, tests = row.text("prompt"), row.text("test")
    entry = row.optional_text("entry_point")
    if language == "py" and entry is None:
        functions = _PYTHON_FUNCTION.findall(prompt)
        entry = functions[-1] if functions else None
    if language == "py" and not humaneval.calls_check(tests):
        tests = f"{tests}\ncheck({entry})"
    return Problem(
        name=name,
        benchmark="humaneval-x",
        language=language,
        prompt=prompt,
        tests=(_ASSERTING if language == "js" else "") + tests,
        stop=humaneval.STOPS if language == "py" else (),
        reference=row.optional_text("canonical_solution"),
        original=name,
        entry_point=entry,
    )
