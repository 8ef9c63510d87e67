"""Runs one Python program as ``__main__`` and tells, over descriptor 4, how far it came.

It is loaded once into a warm interpreter; every program runs in a fork of it. What is imported here is
imported for every program, and so costs none of them anything.
"""

from __future__ import annotations
import __future__

# The modules that answers to benchmark problems import, and what the end of a program needs.
import _sitebuiltins
import ast  # noqa: F401
import atexit
import bisect  # noqa: F401
import builtins
import collections  # noqa: F401
import copy  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import fractions  # noqa: F401
import functools  # noqa: F401
import hashlib  # noqa: F401
import heapq  # noqa: F401
import itertools  # noqa: F401
import json  # noqa: F401
import math  # noqa: F401
import operator  # noqa: F401
import os
import random
import re
import statistics  # noqa: F401
import string  # noqa: F401
import sys
import threading
import typing  # noqa: F401
from types import CodeType, ModuleType, TracebackType

SECRET_BYTES = 32
CHANNEL_IN, CHANNEL_OUT = 3, 4
_FUTURE = __future__.annotations.compiler_flag
_shutdown = threading._shutdown  # type: ignore[attr-defined]


def main(argv: list[str]) -> int:
    """Read the secret, compile and run the program ``argv[0]``, show the secret; the exit status.

    Its tests begin at the character ``argv[1]``, if there is one.
    """
    # A fork continues the numbers of the interpreter it came from.
    random.seed()
    secret = os.read(CHANNEL_IN, SECRET_BYTES)
    os.close(CHANNEL_IN)
    # The program's children have no way to reach the judge.
    os.set_inheritable(CHANNEL_OUT, False)
    os.write(CHANNEL_OUT, b"S")
    path = argv[0]
    codes = compiled_parts(path, int(argv[1]) if len(argv) > 1 else None)
    if not codes:
        os.write(CHANNEL_OUT, b"C")
        return 1
    os.write(CHANNEL_OUT, b"R")
    reason = execute(codes[0], path, *codes[1:])
    if isinstance(reason, int):
        return finish(reason)
    if reason is None:
        os.write(CHANNEL_OUT, secret)
        return finish(0)
    os.write(CHANNEL_OUT, reason)
    return finish(1)


def compiled(path: str) -> CodeType | None:
    """The program's code; None, and the error on standard error, when it is no program."""
    return next(iter(compiled_parts(path, None)), None)


def compiled_parts(path: str, tests_at: int | None) -> list[CodeType]:
    """The program's code, that of its tests apart; nothing, and the error on standard error, if it is none.

    What stands before ``tests_at`` must be a program of its own. One that ends in a decorator, a backslash or
    an open text would take a part of the tests into its last statement. The source is compiled as text, so
    that no comment in it chooses another encoding for the tests.
    """
    with open(path, encoding="utf-8", newline="") as file:
        source = file.read()
    parts = [source]
    if tests_at is not None:
        # As many lines before the tests as there are in the file.
        parts = [source[:tests_at], re.sub(r"[^\r\n]+", "", source[:tests_at]) + source[tests_at:]]
    codes: list[CodeType] = []
    try:
        for part in parts:
            future = codes[0].co_flags & _FUTURE if codes else 0
            codes.append(compile(part.removeprefix("\ufeff"), path, "exec", flags=future, dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        sys.__excepthook__(type(error), error.with_traceback(None), None)
        return []
    return codes


def execute(code: CodeType, path: str, *more: CodeType) -> bytes | int | None:
    """Run the program; None when it came to its end, its exit status, or why not, in the judge's letters."""
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = module
    sys.argv = [path]
    # ``site`` would add these; without it many programs that end early would fail otherwise.
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")
    show = sys.__excepthook__
    try:
        for part in (code, *more):
            exec(part, module.__dict__)
    except SystemExit as error:
        return status_of(error)
    except BaseException as error:
        trace = without_runner(error.__traceback__)
        show(type(error), error.with_traceback(trace), trace)
        if isinstance(error, AssertionError):
            return b"A"
        return b"M" if isinstance(error, MemoryError) else b"E"
    return None


def status_of(error: SystemExit) -> int:
    """The exit status that the interpreter makes of ``sys.exit``'s argument."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def finish(status: int) -> int:
    """What the interpreter does at its end: wait for threads, call exit handlers, write what is buffered."""
    try:
        _shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except SystemExit as error:
        return status_of(error)
    except BaseException as error:
        sys.__excepthook__(type(error), error, error.__traceback__)
        return status or 120
    return status


def without_runner(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the program's first line on."""
    return trace.tb_next if trace else None
