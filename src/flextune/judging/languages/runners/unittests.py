"""Whether the tests of ``unittest`` that a program has were run, and none of them left out by the solution.

A test that is skipped counts as a success there, and so do no tests at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

#: What skips tests, and what chooses some; where the tests do so themselves it is right.
_SKIPS = re.compile(r"[sS]kip|expectedFailure")
_CHOOSES = re.compile(r"\b(?:addTests?|loadTestsFrom\w+)\b")


class Watched:
    """The runs of the tests of one program.

    Args:
        source: The tests.
        names: What the program defines.
    """

    def __init__(self, source: str, names: Mapping[str, Any]) -> None:
        self._names = names
        self._expected = [pair for node in ast.parse(source).body for pair in _tests_of(node)]
        self._may_skip = _SKIPS.search(source) is not None
        self._may_choose = _CHOOSES.search(source) is not None
        self._run = set[tuple[type, str]]()
        self._skipped = 0
        self._watch()

    def _watch(self) -> None:
        from unittest.case import TestCase
        from unittest.result import TestResult

        def skipping(name: str) -> None:
            original = getattr(TestResult, name)

            def method(*arguments: Any) -> None:
                self._skipped += 1
                original(*arguments)

            setattr(TestResult, name, method)

        run = TestCase.run

        def running(case: TestCase, result: TestResult | None = None) -> TestResult | None:
            self._run.add((type(case), case._testMethodName))
            return run(case, result)

        TestCase.run = running  # type: ignore[method-assign]
        skipping("addSkip")
        skipping("addExpectedFailure")

    def complaint(self) -> str:
        """Why the tests are not complete, empty where they are."""
        there = [(self._names[kind], name) for kind, name in self._expected if kind in self._names]
        missed = [name for kind, name in there if (kind, name) not in self._run]
        if missed and (not self._may_choose or len(missed) == len(there)):
            return f"not run: {', '.join(missed)}"
        return f"{self._skipped} tests were skipped" if self._skipped and not self._may_skip else ""


def _tests_of(node: ast.stmt) -> list[tuple[str, str]]:
    """The tests of a class, each with the class's name."""
    if not isinstance(node, ast.ClassDef):
        return []
    bases = {getattr(base, "attr", None) or getattr(base, "id", "") for base in node.bases}
    if not any(base.endswith("TestCase") for base in bases):
        return []
    methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
    return [(node.name, method.name) for method in methods if method.name.startswith("test")]
