"""Runs one Python program as ``__main__`` and tells, over descriptor 4, how far it came.

It is loaded once into a warm interpreter; every program runs in a fork of it. What is imported here is
imported for every program, and so costs none of them anything.
"""

from __future__ import annotations
import __future__

# The modules that answers to benchmark problems import, and what the end of a program needs.
import _sitebuiltins
import ast
import atexit
import bisect  # noqa: F401
import builtins
import collections  # noqa: F401
import copy  # noqa: F401
import datetime  # noqa: F401
import decimal  # noqa: F401
import fcntl
import fractions  # noqa: F401
import functools  # noqa: F401
import hashlib  # noqa: F401
import heapq  # noqa: F401
import importlib.util
import itertools  # noqa: F401
import json  # noqa: F401
import math  # noqa: F401
import operator  # noqa: F401
import os
import random
import re
import resource
import statistics  # noqa: F401
import string  # noqa: F401
import symtable
import sys
import threading
import typing  # noqa: F401
from collections.abc import Iterator
from types import CodeType, ModuleType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flextune.judging.languages.runners.ends import ended_by_tests
    from flextune.judging.languages.runners.frames import like_a_script
    from flextune.judging.languages.runners.watched import Watched
else:
    _known = "frames" in sys.modules
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from ends import ended_by_tests
    from frames import like_a_script
    from watched import Watched

    del sys.path[0]
    if not _known:
        # A program that imports a module of that name must not find ours.
        for _name in ("checks", "ends", "frames", "watched"):
            del sys.modules[_name]

SECRET_BYTES = 32
CHANNEL_IN, CHANNEL_OUT = 3, 4
_FUTURE = __future__.annotations.compiler_flag
shutdown = threading._shutdown  # type: ignore[attr-defined]
# Packages that programs may import, behind the standard library.
sys.path += filter(None, [os.environ.pop("FLEXTUNE_PACKAGES", "")])

#: Statements at the left margin that import, and the modules that they name.
_IMPORT = re.compile(r"^(?:import[ \t]+([^\n#;]+)|from[ \t]+(\w+))", re.MULTILINE)
#: A program that uses one of them may use any name.
_DYNAMIC = {"eval", "exec", "globals", "locals", "vars", "__import__"}
# The benchmarks are older than this limit of Python 3.11 on digits; time is limited for every program anyway.
sys.set_int_max_str_digits(0)


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
    channel = out_of_reach(CHANNEL_OUT)
    os.write(channel, b"S")
    path = argv[0]
    tests_at = int(argv[1]) if len(argv) > 1 else None
    watched = None if tests_at is None else Watched(read(path), tests_at)
    codes = compiled_parts(path, tests_at, watched)
    if not codes:
        os.write(channel, b"C")
        return 1
    os.write(channel, b"R")
    tests = codes[1] if len(codes) > 1 else None
    reason = execute(codes[0], path, tests, watched)
    if isinstance(reason, int):
        return finish(reason)
    if reason is None:
        os.write(channel, secret)
        return finish(0)
    os.write(channel, reason)
    return finish(1)


def out_of_reach(number: int) -> int:
    """A copy of a descriptor above all that the program can have: it may close all of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard <= soft:
        return number
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    above = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, soft)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return above


def read(path: str) -> str:
    """The program's text."""
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def compiled(path: str) -> CodeType | None:
    """The program's code; None, and the error on standard error, when it is no program."""
    return next(iter(compiled_parts(path, None)), None)


def compiled_parts(path: str, tests_at: int | None, watched: Watched | None = None) -> list[CodeType]:
    """The program's code, that of its tests apart; nothing, and the error on standard error, if it is none.

    What stands before ``tests_at`` must be a program of its own. One that ends in a decorator, a backslash or
    an open text would take a part of the tests into its last statement. The source is compiled as text, so
    that no comment in it chooses another encoding for the tests. ``watched`` are those tests.
    """
    source = read(path)
    parts = [source]
    if tests_at is not None:
        # As many lines before the tests as there are in the file.
        parts = [source[:tests_at], re.sub(r"[^\r\n]+", "", source[:tests_at]) + source[tests_at:]]
    codes: list[CodeType] = []
    try:
        whole = source.removeprefix("\ufeff")
        for part in (part.removeprefix("\ufeff") for part in parts):
            future = codes[0].co_flags & _FUTURE if codes else 0
            program: str | ast.Module = part
            if imports_libraries(part):
                program = without_unused_libraries(part, whole, path)
            if codes and watched is not None:
                program = watched.prepared(program, path)
            codes.append(compile(program, path, "exec", flags=future, dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        sys.__excepthook__(type(error), error.with_traceback(None), None)
        return []
    return codes


def imports_libraries(source: str) -> bool:
    """Whether a source may import what is not Python's own: a quick look, which errs on that side."""
    listed = (part for match in _IMPORT.finditer(source) for part in (match[1] or match[2]).split(","))
    return any(is_absent(re.split(r"\W+", part.strip(), maxsplit=1)[0]) for part in listed)


def is_absent(name: str) -> bool:
    """Whether no module of that name, one without dots, can be imported."""
    if name in sys.modules or name in sys.stdlib_module_names:
        return False
    try:
        return importlib.util.find_spec(name) is None
    except (ImportError, ValueError):
        return True


def without_unused_libraries(part: str, source: str, path: str) -> ast.Module:
    """A part of a program less the imports of libraries that are not here and that the whole never uses.

    Many answers begin with the same lines of imports, whatever they need. Only statements at the left margin
    go: one inside a ``try`` or a function is the program's own business.
    """
    tree = ast.parse(part, path)
    used: set[str] | None = None
    for number, statement in enumerate(tree.body):
        if isinstance(statement, ast.Import):
            missing = [one for one in statement.names if is_absent(one.name.partition(".")[0])]
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            missing = statement.names if is_absent((statement.module or "").partition(".")[0]) else []
        else:
            continue
        if not missing:
            continue
        used = names_used(source) if used is None else used
        unused = [one for one in missing if (one.asname or one.name.partition(".")[0]) not in used]
        statement.names = [one for one in statement.names if one not in unused]
        if not statement.names:
            tree.body[number] = ast.copy_location(ast.Pass(), statement)
    return tree


def names_used(source: str) -> set[str]:
    """Names at top level that a program reads, ``*`` among them if it reads one that it does not define."""
    top = symtable.symtable(source, "program", "exec")
    defined = {name.get_name() for name in top.get_symbols() if name.is_assigned() or name.is_imported()}
    used = {
        name.get_name()
        for table in tables_of(top)
        for name in table.get_symbols()
        if name.is_referenced() and (table is top or name.is_global())
    }
    if used & _DYNAMIC:
        return used | defined | {"*"}
    return used | {"*"} if used - defined - set(vars(builtins)) else used


def tables_of(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """A scope and all inside it."""
    yield table
    for inner in table.get_children():
        yield from tables_of(inner)


def execute(
    code: CodeType, path: str, tests: CodeType | None = None, watched: Watched | None = None
) -> bytes | int | None:
    """Run the program; None when it came to its end, its exit status, or why not, in the judge's letters.

    Tests, which are compiled apart and ``watched``, may end in an exit of their own.
    """
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = module
    sys.argv = [path]
    add_exits()
    show = sys.__excepthook__
    try:
        with like_a_script():
            exec(code, module.__dict__)
            if tests is not None:
                if watched is not None:
                    watched.begin(module.__dict__)
                exec(tests, module.__dict__)
    except SystemExit as error:
        status = status_of(error)
        if tests is None or not ended_by_tests(error, tests, path):
            return status
        if status:
            return b"A"
    except BaseException as error:
        trace = without_runner(error.__traceback__)
        show(type(error), error.with_traceback(trace), trace)
        if isinstance(error, AssertionError):
            return b"A"
        return b"M" if isinstance(error, MemoryError) else b"E"
    if watched is not None:
        # What the program has begun may still call its tests.
        shutdown()
        if complaint := watched.complaint():
            print(complaint, file=sys.__stderr__)
            return b"A"
    return None


def add_exits() -> None:
    """``exit`` and ``quit``, which ``site`` would add: programs that end early would fail otherwise."""
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")


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
        shutdown()
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
