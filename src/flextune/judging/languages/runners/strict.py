"""Runs tests and solution of one Python problem in two processes; a fork of a warm interpreter is either.

``main(["tests", ...])`` and ``main(["solution", ...])``: see the two modules of these names.
"""

from __future__ import annotations

import os
import random
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flextune.judging.languages.runners import strict_solution, strict_tests
else:
    _OURS = (
        "channel",
        "checks",
        "ends",
        "frames",
        "loops",
        "names",
        "operations",
        "peer",
        "plain",
        "privacy",
        "proxies",
        "raising",
        "runner",
        "strict_solution",
        "strict_tests",
        "tests_end",
        "things",
        "values",
        "watched",
    )
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import strict_solution
    import strict_tests

    del sys.path[0]
    # A program that imports a module of such a name must not find ours.
    for name in _OURS:
        del sys.modules[name]


def main(argv: list[str]) -> int:
    """Be one of the two; the exit status."""
    # A fork continues the numbers of the interpreter it came from.
    random.seed()
    role = strict_tests if argv[0] == "tests" else strict_solution
    return role.main(argv[1:])
