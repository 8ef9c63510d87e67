"""A Python answer without what is there for a reader: its main, its examples, its questions for input."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Sequence

from flextune.data.answers.python_flow import (
    BUILTINS,
    Statement,
    definitions,
    needed,
    program_of,
    tree_of,
    users,
)
from flextune.data.answers.rules import Trace

#: In a longer program nothing is looked for; following all its names would take long.
_MOST_STATEMENTS = 1000


def without_main(code: str, trace: Trace) -> str:
    """Code without its ``if __name__ == "__main__"``."""
    program = _program(code) if "__name__" in code else ()
    mains = [one.node for one in program if one.is_main]
    return _without(code, program, mains, "main", trace)


def without_demo(code: str, names: Collection[str], trace: Trace) -> str:
    """Code without statements that only show ``names`` off or ask for input.

    What the functions of those names need stays, however it came about: constants, tables that a loop fills,
    memos, settings of modules. Of the rest, a statement goes if it prints, asks, asserts or ends the program,
    if it uses one of ``names`` or a function that does any of this, or if it reads what went. An import of a
    package that only what goes would use goes first, with the definitions that read it.
    """
    program = _program(code)
    kept = needed(program, names)
    showing = _showing(program, names)
    gone = {n for n, one in enumerate(program) if n not in kept and _is_package(one.node)}
    spare = set(gone)
    while True:
        before = len(gone)
        left = {name for n, one in enumerate(program) if n not in gone for name in one.binds}
        lost = {name for n in gone for name in program[n].binds} - left - BUILTINS
        absent = {name for n in spare for name in program[n].binds} - left
        for position, one in enumerate(program):
            if position in kept or position in gone or one.imports or one.is_main:
                continue
            if one.defines:
                if one.reads & absent:
                    gone.add(position)
                    spare.add(position)
                continue
            shows = one.shows or one.reads & showing
            stray = (
                isinstance(one.node, ast.Expr) and _is_bare(one.node.value) and one.reads - left - BUILTINS
            )
            if shows or one.reads & lost or stray:
                gone.add(position)
        if len(gone) == before:
            break
    return _without(code, program, [program[n].node for n in sorted(gone)], "demo", trace)


def without_demo_after(prompt: str, body: str, names: Collection[str], trace: Trace) -> str:
    """The body of the prompt's function without a main and statements behind it that only show it off."""
    found = Trace()
    code = without_demo(without_main(prompt + body, found), names, found)
    if not code.startswith(prompt):
        return body
    for step in found.steps:
        trace.note(step.rule, step.detail)
    return code[len(prompt) :]


def _program(code: str) -> Sequence[Statement]:
    """The statements of a program that can be parsed and is not too long."""
    tree = tree_of(code)
    if tree is None or len(tree.body) > _MOST_STATEMENTS:
        return ()
    return program_of(code) or ()


def _showing(program: Sequence[Statement], names: Collection[str]) -> set[str]:
    """``names``, functions that print, ask or end when called, and those that use any of these."""
    functions = definitions(program)
    return users(functions, {*names, *(name for name, one in functions.items() if one.shows)})


def _is_package(node: ast.stmt) -> bool:
    """Whether a statement imports names of a package that Python does not have of itself."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
        modules = [node.module or ""]
    else:
        return False
    return not any(module.partition(".")[0] in sys.stdlib_module_names for module in modules)


def _first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    return min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])


def _is_bare(value: ast.expr) -> bool:
    """Whether an expression does nothing but name things: words of prose, and what looks like ``O(n)``."""
    calls = [node for node in ast.walk(value) if isinstance(node, (ast.Call, ast.Await))]
    return not calls or (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and len(calls) == 1)


def _without(code: str, program: Sequence[Statement], gone: list[ast.stmt], rule: str, trace: Trace) -> str:
    lines = code.split("\n")
    shared = [line for one in program for line in {_first_line(one.node), one.node.end_lineno}]
    for node in reversed(gone):
        first, last = _first_line(node), node.end_lineno or node.lineno
        trace.note(rule, f"from {lines[first - 1].strip()[:60]!r}")
        if shared.count(first) == 1 and shared.count(last) == 1:
            del lines[first - 1 : last]
            continue
        # Other statements stand in the same line; the offsets count bytes.
        begin = lines[first - 1].encode()[: node.col_offset].decode()
        end = lines[last - 1].encode()[node.end_col_offset :].decode()
        lines[first - 1 : last] = [f"{begin}pass{end}"] + [""] * (last - first)
    return "\n".join(lines)
