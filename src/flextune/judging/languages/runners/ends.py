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
    if trace is None:
        with open(path, encoding="utf-8", newline="") as file:
            return _position(last) in _exits(file.read().removeprefix("\ufeff"))
    return _is_exit_of_library(trace)


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


def _exits(source: str) -> set[tuple[int | None, ...]]:
    """Where a program has calls of exits, and ``raise SystemExit``."""
    return {
        (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Call) and _name(node.func) in _EXITS)
        or (isinstance(node, ast.Raise) and node.exc is not None and _raised(node.exc) == "SystemExit")
    }


def _raised(node: ast.expr) -> str:
    return _name(node.func) if isinstance(node, ast.Call) else _name(node)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_exit_of_library(trace: TracebackType) -> bool:
    """Whether the tests called ``exit``, ``quit`` or ``unittest.main``, and that is all."""
    codes = []
    while trace is not None:
        codes.append(trace.tb_frame.f_code)
        trace = trace.tb_next  # type: ignore[assignment]
    if codes == [_sitebuiltins.Quitter.__call__.__code__]:
        return True
    unittest = sys.modules.get("unittest.main")
    if unittest is None:
        return False
    program = unittest.TestProgram
    return codes == [program.__init__.__code__, program.runTests.__code__]
