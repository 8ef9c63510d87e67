"""Whether tests have ended the program themselves, as ``unittest.main()`` and ``sys.exit(main())`` do.

In one process anybody can end it. It was the tests' own doing if every function on the way to the exit is
theirs, down to a call in their text that is written as an exit; the solution's functions are not on that
way.
"""

from __future__ import annotations

import _sitebuiltins
import ast
import sys
from types import CodeType, FrameType, TracebackType

_EXITS = {"exit", "quit"}
_UNITTEST = {"main", "TestProgram"}


def ended_by_tests(error: SystemExit, code: CodeType, path: str) -> bool:
    """Whether ``error`` was raised by an exit in the tests.

    Args:
        error: What has ended the program.
        code: The code of the tests alone; its lines are those of the program.
        path: The program.
    """
    known = _all_code(code)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    last: TracebackType | None = None
    while trace is not None and trace.tb_frame.f_code in known:
        if not _is_known(trace.tb_frame, known):
            return False
        last, trace = trace, trace.tb_next
    if last is None:
        return False
    names = _EXITS if trace is None else _calls_of_library(trace)
    with open(path, encoding="utf-8", newline="") as file:
        # What the solution calls so is not written as an exit.
        return _position(last) in _exits(file.read().removeprefix("\ufeff"), names)


def _all_code(code: CodeType) -> set[CodeType]:
    found, waiting = set[CodeType](), [code]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += [part for part in one.co_consts if isinstance(part, CodeType)]
    return found


def _is_known(frame: FrameType, known: set[CodeType]) -> bool:
    # Code that was made to look like it would be equal, but not the same.
    return any(frame.f_code is one for one in known)


def _position(trace: TracebackType) -> tuple[int | None, ...]:
    """Lines and columns of what was being done."""
    return list(trace.tb_frame.f_code.co_positions())[trace.tb_lasti // 2]


def _exits(source: str, names: set[str]) -> set[tuple[int | None, ...]]:
    """Where a program has calls of these names, and ``raise SystemExit``."""
    return {
        (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Call) and _name(node.func) in names)
        or (isinstance(node, ast.Raise) and node.exc is not None and _raised(node.exc) == "SystemExit")
    }


def _raised(node: ast.expr) -> str:
    return _name(node.func) if isinstance(node, ast.Call) else _name(node)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _calls_of_library(trace: TracebackType) -> set[str]:
    """Names by which tests call ``exit``, ``quit`` or ``unittest.main``, if that is all that was called."""
    codes = []
    while trace is not None:
        codes.append(trace.tb_frame.f_code)
        trace = trace.tb_next  # type: ignore[assignment]
    if codes == [_sitebuiltins.Quitter.__call__.__code__]:
        return _EXITS
    unittest = sys.modules.get("unittest.main")
    if unittest is None:
        return set()
    program = unittest.TestProgram
    return _UNITTEST if codes == [program.__init__.__code__, program.runTests.__code__] else set()
