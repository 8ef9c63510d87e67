"""Python sources that others wrote, parsed without a word on the user's terminal."""

from __future__ import annotations

import ast
import threading
import warnings

# ``catch_warnings`` changes the process: two at a time could leave the filters changed.
_lock = threading.Lock()


def parse_python(source: str) -> ast.Module | None:
    """The syntax tree; None where there is none to be had.

    Python warns of dubious escapes and the like at the first look at a source. They are another author's,
    nothing a user of flextune can mend; and where warnings are errors, such a source is a program still.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        # Nested too deeply, or with bytes that no source may hold.
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
