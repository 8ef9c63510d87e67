"""Python sources that others wrote, parsed without a word on the user's terminal."""

from __future__ import annotations

import ast
import symtable
import threading
import warnings
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

# ``catch_warnings`` changes the process: two at a time could leave the filters changed.
_lock = threading.Lock()
# Nested too deeply, or with bytes that no source may hold.
_REFUSED = (SyntaxError, ValueError, RecursionError, MemoryError)


def parse_python(source: str) -> ast.Module | None:
    """The syntax tree; None where there is none to be had.

    Python warns of dubious escapes and the like at the first look at a source. They are another author's,
    nothing a user of flextune can mend; and where warnings are errors, such a source is a program still.
    """
    try:
        return _silently(lambda: ast.parse(source))
    except _REFUSED:
        return None


def first_error(source: str) -> int | None:
    """The line, from 1, of the first syntax error; None where the source can be parsed."""
    try:
        _silently(lambda: ast.parse(source))
    except SyntaxError as error:
        return min(error.lineno or 1, source.count("\n") + 1)
    except _REFUSED:
        return 1
    return None


def symbols(source: str) -> symtable.SymbolTable | None:
    """The compiler's table of names; None where the source cannot be compiled."""
    try:
        return _silently(lambda: symtable.symtable(source, "answer", "exec"))
    except _REFUSED:
        return None


def _silently(read: Callable[[], Result]) -> Result:
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read()
