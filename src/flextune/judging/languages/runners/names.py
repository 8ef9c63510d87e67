"""Which names of the tests come from the solution, and which from whom the solution cannot reach.

What tests judge with is never the solution's to define: a function ``approx`` that says yes would be the
right answer to every test. So the prompt's own definitions, Python's built-in names and the standard
library come first. From the solution come what it was asked for, and what the tests only feed to that.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import re
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: What benchmarks call the function under test inside of their tests.
_CANDIDATE = "candidate"
#: Modules whose names answers and tests use as if they had imported all of them; the first one counts.
_STANDARD = (
    "math",
    "typing",
    "collections",
    "itertools",
    "functools",
    "fractions",
    "decimal",
    "datetime",
    "copy",
)
#: Names that judge, whoever would define them, and packages that are no part of Python.
_JUDGES = re.compile(
    r"assert|expect|approx|is_?close|all_?close|(almost|nearly|roughly|about)_?(equal|eq|same|close)|"
    r"(should|raises|fail)$",
    re.IGNORECASE,
)
_PACKAGES = re.compile(r"(np|numpy|pd|pandas|scipy|sp|torch|tf|plt|sympy|pytest|pt|nose|hypothesis|testing)$")
_CLASS = re.compile(r"[A-Z]\w*[a-z]")


@dataclass
class Prompt:
    """What a prompt says.

    Attributes:
        text: The prompt.
        entry: The function or class that the tests are about, empty where nobody says.
        open: What it begins and leaves to the solution.
        classes: Those of them that are classes.
    """

    text: str = ""
    entry: str = ""
    open: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)


@dataclass
class Wanted:
    """What is asked of the solution.

    Attributes:
        names: Names that come from it.
        classes: Those that the benchmark asks for as classes.
        missing: Names that nobody who is trusted defines.
    """

    names: list[str]
    classes: set[str]
    missing: list[str]


def trusted(path: str, entry: str, names: dict[str, Any]) -> Prompt:
    """Define in ``names`` what the prompt defines completely.

    A prompt ends in an open function, which is the solution's to complete. What comes before it is the
    benchmark's own, and tests rely on it.

    Args:
        path: File with the prompt.
        entry: Name of the function that the tests are about, empty where the prompt has to tell.
        names: Where to define.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    tree = _parsed(text)
    if tree is None:
        return Prompt(text, entry)
    definitions = [part for part in tree.body if isinstance(part, _DEFINITIONS)]
    if not entry and definitions and definitions[-1] is tree.body[-1]:
        entry = definitions[-1].name
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], _DEFINITIONS) else None
    left_open = [part for part in definitions if part is last or _is_open(part, entry)]
    tree.body = [part for part in tree.body if part not in left_open]
    # Text that only looks like a program defines nothing.
    with contextlib.suppress(Exception):
        exec(compile(tree, path, "exec", dont_inherit=True), names)
    classes = {part.name for part in left_open if isinstance(part, ast.ClassDef)}
    return Prompt(text, entry, {part.name for part in left_open}, classes)


def _parsed(prompt: str) -> ast.Module | None:
    for text in (prompt, f"{prompt.rstrip()}\n    pass", f"{prompt.rstrip()}\n        pass"):
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
    return part.name == entry or all(_is_nothing(inner) for inner in part.body[docstring:])


def _is_nothing(part: ast.stmt) -> bool:
    return isinstance(part, ast.Pass) or (
        isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and part.value.value is ...
    )


def wanted(tree: ast.Module, source: str | bytes, prompt: Prompt, names: dict[str, Any]) -> Wanted:
    """The names that the tests take from the solution.

    Built-in functions are Python's own, unless the tests use nothing else: then one of them is what the
    solution was asked to write.

    Args:
        tree: The tests.
        source: Their source.
        prompt: What the prompt says.
        names: What the prompt defines; what the standard library has for the tests is added.
    """
    used = _free(symtable.symtable(source, "tests", "exec"))  # type: ignore[arg-type]
    entry = prompt.entry
    unknown = used - set(names) - set(vars(builtins)) - {entry}
    modules = {name for name in unknown if name in sys.stdlib_module_names and name in _bases(tree)}
    rest = unknown - modules
    standard = {name for name in rest if _standard(name) is not None}
    possible = {name for name in rest if not _PACKAGES.match(name)}
    likely = {name for name in possible - standard if not _JUDGES.match(name)}
    if entry:
        chosen = {name for name in likely if _may_define(name, tree, prompt)} | {entry}
    else:
        # Where nobody says what was asked for, it is what nobody else has.
        chosen = likely or possible or _called(tree) & set(vars(builtins))
        standard -= chosen
    for name in modules - chosen:
        names[name] = importlib.import_module(name)
    for name in standard:
        names[name] = _standard(name)
    classes = prompt.classes | {name for name in chosen if _CLASS.match(name)}
    missing = rest - standard - chosen
    return Wanted(sorted(chosen), classes & chosen, sorted(missing))


def _free(table: symtable.SymbolTable) -> set[str]:
    """Names that a module uses and does not define."""
    own = {symbol.get_name() for symbol in table.get_symbols() if _defines(symbol)}
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    inner = list(table.get_children())
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        for symbol in scope.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                found.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                own.add(symbol.get_name())
    return found - own - {"__file__", "__builtins__"}


def _defines(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _bases(tree: ast.AST) -> set[str]:
    """Names whose attributes are used."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.value.id for node in nodes if isinstance(node.value, ast.Name)}


def _called(tree: ast.AST) -> set[str]:
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {node.func.id for node in nodes if isinstance(node.func, ast.Name)}


def _standard(name: str) -> Any:
    """What the standard library has under a name, None for nothing."""
    for module in _STANDARD:
        content = importlib.import_module(module)
        if name == module or (
            not name.startswith("_") and name in getattr(content, "__all__", vars(content))
        ):
            return content if name == module and module not in vars(content) else getattr(content, name)
    return None


def _may_define(name: str, tree: ast.Module, prompt: Prompt) -> bool:
    """Whether the solution may define a name besides its entry point."""
    if name in prompt.open or re.search(rf"\b{re.escape(name)}\b", prompt.text):
        return True
    under_test = {prompt.entry, _CANDIDATE}
    return all(fed for used, fed in _uses(tree, under_test, fed=False) if used == name)


def _uses(node: ast.AST, under_test: set[str], *, fed: bool) -> Iterator[tuple[str, bool]]:
    """Names that are used, each with whether its value only goes into what is under test."""
    if isinstance(node, ast.Name):
        yield node.id, fed
    elif isinstance(node, ast.Call) and _root(node.func) in under_test:
        yield from _uses(node.func, under_test, fed=fed)
        for part in (*node.args, *node.keywords):
            yield from _uses(part, under_test, fed=True)
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
        inner = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
        yield from _uses(node.value, under_test, fed=fed or not inner & under_test)
    else:
        for part in ast.iter_child_nodes(node):
            yield from _uses(part, under_test, fed=fed)


def _root(node: ast.AST) -> str:
    """The name at the beginning of ``name(...).method``."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
