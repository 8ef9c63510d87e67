"""BigCodeBench (arXiv:2406.15877): Python functions that use libraries, tested with ``unittest``."""

from __future__ import annotations

from flextune.files.rows import Row
from flextune.records import Problem

#: Where an answer ends for a model that keeps writing.
STOPS = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```", "\nassert", '\n"""')

# ``debug`` lets a test's exception through: a wrong answer, another error and a missing library differ.
RUN_TEST_CASES = """
import unittest

def _run_test_cases(cases):
    suite = unittest.TestLoader().loadTestsFromTestCase(cases)
    assert suite.countTestCases(), "no tests"
    suite.debug()

_run_test_cases(TestCases)
"""


def is_row(row: Row) -> bool:
    """Whether a row is one of BigCodeBench's."""
    return "complete_prompt" in row.fields and "test" in row.fields


def problem(row: Row) -> Problem:
    """One task as a problem that completes the prompt with the docstring.

    Raises:
        FlextuneError: For a missing field.
    """
    name = row.text("task_id")
    return Problem(
        name=name,
        benchmark="bigcodebench",
        language="py",
        prompt=row.text("complete_prompt"),
        tests=row.text("test") + RUN_TEST_CASES,
        stop=STOPS,
        reference=row.optional_text("canonical_solution"),
        original=name,
        entry_point=row.text("entry_point"),
    )
