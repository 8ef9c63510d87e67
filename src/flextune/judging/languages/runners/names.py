"""Which names of the tests come from the solution, and which the benchmark itself defines."""

from __future__ import annotations

import ast
import builtins
import contextlib
import sys
from typing import Any

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def trusted(path: str, entry: str, names: dict[str, Any]) -> str:
    """Define in ``names`` what the prompt defines completely; the function that the tests are about.

    A prompt ends in an open function, which is the solution's to complete. What comes before it is the
    benchmark's own, and tests rely on it.

    Args:
        path: File with the prompt.
        entry: Name of the function that the tests are about, empty where the prompt has to tell.
        names: Where to define.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        tree = _parsed(file.read())
    if tree is None:
        return entry
    body = tree.body
    if body and isinstance(body[-1], _DEFINITIONS):
        entry = entry or body[-1].name
        body = body[:-1]
    tree.body = [part for part in body if not _is_open(part, entry)]
    # Text that only looks like a program defines nothing.
    with contextlib.suppress(Exception):
        exec(compile(tree, path, "exec", dont_inherit=True), names)
    return entry


def _parsed(prompt: str) -> ast.Module | None:
    for text in (prompt, f"{prompt.rstrip()}\n    pass"):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _is_open(part: ast.stmt, entry: str) -> bool:
    """Whether it is the definition of ``entry``, or one without any statement but a docstring."""
    if not isinstance(part, _DEFINITIONS):
        return False
    docstring = ast.get_docstring(part, clean=False) is not None
    return part.name == entry or all(isinstance(inner, ast.Pass) for inner in part.body[docstring:])


def wanted(path: str, entry: str, names: dict[str, Any]) -> list[str]:
    """The names that the tests take from the solution.

    Built-in functions are Python's own, unless the tests use nothing else: then one of them is what the
    solution was asked to write. So are modules of the standard library whose attributes the tests use.

    Args:
        path: File with the tests, which compile.
        entry: Name of the function that the tests are about, empty where it is not known.
        names: What the prompt defines; modules are added.
    """
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    own = _defined(tree)
    used, called, bases = set[str](), set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            bases.add(node.value.id)
    for name in bases - own - {*names, entry}:
        # Those that the runner has loaded: what answers use, and all without effects of their own.
        if name in sys.stdlib_module_names and name in sys.modules:
            names[name] = sys.modules[name]
    standard = set(vars(builtins))
    chosen = used - own - set(names) - standard
    if entry:
        chosen.add(entry)
    elif not chosen:
        chosen = called - own
    return sorted(chosen)


def _defined(tree: ast.Module) -> set[str]:
    """Functions, classes and modules that the tests define themselves."""
    found = set()
    for node in tree.body:
        if isinstance(node, _DEFINITIONS):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return found
