"""Whether the tests of a program were run, none of them left out, and one of their assertions reached.

For ``unittest`` a test that is skipped is a success, and so are no tests at all. And a callback that is never
called asserts nothing.
"""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.checks import Checks
else:
    from checks import Checks

#: What skips tests, and what chooses some; where the tests do so themselves it is right.
_SKIPS = re.compile(r"[sS]kip|expectedFailure")
_CHOOSES = re.compile(r"\b(?:addTests?|loadTestsFrom\w+)\b")
#: What calls a test's method without ``unittest``.
_CALLS = re.compile(r"\.test\w*\(")
#: Assertions that tests reach wherever they come to their end.
_REACHED = re.compile(r"^(?:assert|check\()", re.MULTILINE)


class Watched:
    """The tests of one program.

    Args:
        program: The program.
        tests_at: The character at which they begin.
    """

    def __init__(self, program: str, tests_at: int) -> None:
        self._source = program[tests_at:]
        self._first_line = program.count("\n", 0, tests_at) + 1
        self._failed = False
        self._names: Mapping[str, Any] = {}
        self._given: dict[str, Any] = {}
        self._checks = Checks()
        self._expected: list[tuple[str, str]] = []
        self._may_skip = self._may_choose = False
        self._run = set[tuple[type, str]]()
        self._skipped = 0

    def prepared(self, program: str | ast.Module, path: str) -> str | ast.Module:
        """The tests as they are to be compiled: with what counts their assertions where that can matter."""
        if "assert" not in self._source or _REACHED.search(self._source):
            return program
        tree = ast.parse(program, path) if isinstance(program, str) else program
        self._checks.add_to(tree, self._given)
        return tree

    def begin(self, names: dict[str, Any]) -> None:
        """The tests are about to run; ``names`` is what they use and define."""
        # What they may ask before they begin.
        names["__name__"] = "__main__"
        names.update(self._given)
        self._names = names
        if "unittest" in self._source and not _CALLS.search(self._source):
            self._expected = [pair for node in ast.parse(self._source).body for pair in _tests_of(node)]
        if self._expected:
            self._may_skip = _SKIPS.search(self._source) is not None
            self._may_choose = _CHOOSES.search(self._source) is not None
            self._watch()
        hook = threading.excepthook

        def note(raised: threading.ExceptHookArgs) -> None:
            trace = raised.exc_traceback
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if issubclass(raised.exc_type, AssertionError) and trace is not None:
                own = trace.tb_frame.f_code.co_filename == names.get("__file__")
                self._failed = self._failed or (own and trace.tb_lineno >= self._first_line)
            hook(raised)

        threading.excepthook = note

    def _watch(self) -> None:
        from unittest.case import TestCase
        from unittest.result import TestResult

        def skipping(name: str) -> None:
            original = getattr(TestResult, name)

            def method(*arguments: Any) -> None:
                self._skipped += 1
                original(*arguments)

            setattr(TestResult, name, method)

        def running(name: str) -> None:
            original = getattr(TestCase, name)

            def method(case: TestCase, *arguments: Any) -> Any:
                self._run.add((type(case), case._testMethodName))
                return original(case, *arguments)

            setattr(TestCase, name, method)

        running("run")
        running("debug")
        skipping("addSkip")
        skipping("addExpectedFailure")

    def complaint(self) -> str:
        """Why the tests are not complete, empty where they are."""
        there = [(self._names[kind], name) for kind, name in self._expected if kind in self._names]
        missed = [name for kind, name in there if (kind, name) not in self._run]
        if missed and (not self._may_choose or len(missed) == len(there)):
            return f"not run: {', '.join(missed)}"
        if self._failed:
            return "an assertion of the tests failed in a thread"
        if self._skipped and not self._may_skip:
            return f"{self._skipped} tests were skipped"
        return "no assertion of the tests was reached" if self._checks.nothing_checked else ""


def _tests_of(node: ast.stmt) -> list[tuple[str, str]]:
    """The tests of a class, each with the class's name."""
    if not isinstance(node, ast.ClassDef):
        return []
    bases = [str(getattr(base, "attr", None) or getattr(base, "id", "")) for base in node.bases]
    if not any(base.endswith("TestCase") for base in bases):
        return []
    methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
    return [(node.name, method.name) for method in methods if method.name.startswith("test")]
