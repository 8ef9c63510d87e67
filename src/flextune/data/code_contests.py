"""CodeContests (arXiv:2203.07814): programs of contests, by input and output."""

from __future__ import annotations

from typing import Any

from flextune.data.apps import PREAMBLE, STOPS
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Case, Problem

_FIELDS = ("public_tests", "private_tests", "generated_tests")
#: The number of Python 3 among the languages of solutions.
_PYTHON3 = 3


def is_row(row: Row) -> bool:
    """Whether a row is one of CodeContests'."""
    return "public_tests" in row.fields and "description" in row.fields


def problem(row: Row) -> Problem:
    """One task in Python, with the cases of all three kinds of tests.

    Raises:
        FlextuneError: For a missing field, or tests that are not what they should be.
    """
    cases = tuple(case for key in _FIELDS for case in _cases(row, key))
    if not cases:
        raise FlextuneError(f"{row.where}: no tests in {', '.join(_FIELDS)}")
    description = row.text("description").replace('"""', "'''")
    raw = "r" if "\\" in description else ""
    return Problem(
        name=row.text("name"),
        benchmark="code-contests",
        language="py",
        prompt=f'{PREAMBLE}{raw}"""\n{description}\n"""\n',
        tests="",
        stop=STOPS,
        reference=_reference(row.fields.get("solutions")),
        original=row.text("name"),
        cases=cases,
    )


def _cases(row: Row, key: str) -> list[Case]:
    tests = row.fields.get(key) or {}
    given, expected = (_texts(tests, name) for name in ("input", "output"))
    if given is None or expected is None or len(given) != len(expected):
        raise FlextuneError(f'{row.where}: "{key}" must have "input" and "output", lists of as many texts')
    return [Case(*pair) for pair in zip(given, expected, strict=True)]


def _texts(tests: Any, name: str) -> list[str] | None:
    texts = tests.get(name, []) if isinstance(tests, dict) else None
    return texts if isinstance(texts, list) and all(isinstance(text, str) for text in texts) else None


def _reference(solutions: Any) -> str | None:
    """The first solution in Python 3."""
    if not isinstance(solutions, dict):
        return None
    pairs = zip(solutions.get("language") or (), solutions.get("solution") or (), strict=False)
    return next((text for number, text in pairs if number == _PYTHON3 and isinstance(text, str)), None)
