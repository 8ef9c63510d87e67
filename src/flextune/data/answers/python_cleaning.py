"""A Python answer without what is there for a reader: its main, its examples, its questions for input."""

from __future__ import annotations

import ast
from collections.abc import Collection

from flextune.data.answers.python_flow import BUILTINS, Statement, definitions, needed, statements, users
from flextune.data.answers.rules import Trace
from flextune.data.python_source import parse_python

#: In a longer program nothing is looked for; following all its names would take long.
_MOST_STATEMENTS = 1000


def without_main(code: str, trace: Trace) -> str:
    """Code without its ``if __name__ == "__main__"``."""
    tree = parse_python(code)
    if tree is None or len(tree.body) > _MOST_STATEMENTS:
        return code
    mains = [one.node for one in statements(tree) if one.is_main]
    return _without(code, tree, mains, "main", trace)


def without_demo(code: str, names: Collection[str], trace: Trace) -> str:
    """Code without statements that only show ``names`` off or ask for input.

    What the functions of those names need stays, however it came about: constants, tables that a loop fills,
    memos, settings of modules. Of the rest, a statement goes if it prints, asks, asserts or ends the program,
    if it uses one of ``names`` or a function that does any of this, or if it reads what went.
    """
    tree = parse_python(code)
    if tree is None or len(tree.body) > _MOST_STATEMENTS:
        return code
    program = statements(tree)
    kept = needed(program, names)
    showing = _showing(program, names)
    gone: set[int] = set()
    while True:
        before = len(gone)
        left = {name for n, one in enumerate(program) if n not in gone for name in one.binds}
        lost = {name for n in gone for name in program[n].binds} - left - BUILTINS
        for position, one in enumerate(program):
            if position in kept or position in gone or one.defines or one.imports or one.is_main:
                continue
            shows = one.shows or one.reads & showing
            stray = isinstance(one.node, ast.Expr) and not _has_call(one) and one.reads - left - BUILTINS
            if shows or one.reads & lost or stray:
                gone.add(position)
        if len(gone) == before:
            break
    return _without(code, tree, [program[n].node for n in sorted(gone)], "demo", trace)


def _showing(program: list[Statement], names: Collection[str]) -> set[str]:
    """``names``, functions that print, ask or end when called, and those that use any of these."""
    functions = definitions(program)
    return users(functions, {*names, *(name for name, one in functions.items() if one.shows)})


def _has_call(one: Statement) -> bool:
    return any(isinstance(node, (ast.Call, ast.Await)) for node in ast.walk(one.node))


def _without(code: str, tree: ast.Module, gone: list[ast.stmt], rule: str, trace: Trace) -> str:
    lines = code.split("\n")
    shared = [line for node in tree.body for line in {node.lineno, node.end_lineno or node.lineno}]
    for node in reversed(gone):
        first, last = node.lineno, node.end_lineno or node.lineno
        trace.note(rule, f"from {lines[first - 1].strip()[:60]!r}")
        if shared.count(first) == 1 and shared.count(last) == 1:
            del lines[first - 1 : last]
            continue
        # Other statements stand in the same line; the offsets count bytes.
        begin = lines[first - 1].encode()[: node.col_offset].decode()
        end = lines[last - 1].encode()[node.end_col_offset :].decode()
        lines[first - 1 : last] = [f"{begin}pass{end}"] + [""] * (last - first)
    return "\n".join(lines)
