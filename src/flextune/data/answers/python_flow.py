"""Which names each top-level statement of a Python program binds, reads and changes."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flextune.data.python_source import parse_python, symbols

#: What asks for input or ends the program, at once or by a module's own main.
_ASKING = frozenset(
    {"input", "exit", "quit", "breakpoint", "open", "sys.stdin", "sys.argv", "sys.exit", "os._exit"}
    | {"fileinput.input", "doctest.testmod", "unittest.main", "pytest.main", "argparse.ArgumentParser"}
)
#: What only shows something.
_SHOWING = frozenset({"print", "pprint", "help", "sys.stdout", "timeit.timeit"})
BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
#: Methods of a logger: they change nothing that a program reads.
_LOGS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement at top level.

    Attributes:
        node: The statement.
        binds: Names that it gives a value, by a ``global`` of a function too.
        reads: Names of the module that it reads, within functions too.
        changes: Names whose object it may change: targets of items and attributes, receivers of methods.
        passed: What it calls, with each name that is an argument: the call may change that object, too.
        calls: Names that it calls, within functions too.
        asks: Whether it asks for input or ends the program.
        shows: Whether it does that, prints or asserts.
    """

    node: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    changes: frozenset[str]
    passed: frozenset[tuple[str, str]]
    calls: frozenset[str]
    asks: bool
    shows: bool

    @property
    def defines(self) -> bool:
        """Whether it is a function or a class, so that nothing happens before it is called."""
        return isinstance(self.node, _DEFINITIONS)

    @property
    def imports(self) -> bool:
        """Whether it imports, directly or in a ``try``."""
        node = self.node
        return isinstance(node, (ast.Import, ast.ImportFrom)) or (
            isinstance(node, ast.Try)
            and any(isinstance(part, (ast.Import, ast.ImportFrom)) for part in node.body)
        )

    @property
    def is_main(self) -> bool:
        """Whether it is an ``if __name__ == "__main__"``."""
        return isinstance(self.node, ast.If) and any(
            isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(self.node.test)
        )


# One answer is asked about again and again; large trees are not kept for long.
@lru_cache(maxsize=8)
def tree_of(source: str) -> ast.Module | None:
    """The syntax tree, None where there is none; it is shared, so do not change it."""
    return parse_python(source)


@lru_cache(maxsize=8)
def program_of(source: str) -> tuple[Statement, ...] | None:
    """All top-level statements with their names; None where the source cannot be parsed."""
    tree = tree_of(source)
    return None if tree is None else tuple(map(_statement, tree.body))


def bound_in(tree: ast.AST) -> Iterator[str]:
    """Names that the statements of a module bind at top level, imports aside."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif not isinstance(node, ast.Lambda):
            yield from bound_in(node)


def _statement(node: ast.stmt) -> Statement:
    binds, reads = _names(node)
    imported = isinstance(node, (ast.Import, ast.ImportFrom))
    nodes = [] if imported else list(ast.walk(node))
    calls = {call.func.id for call in nodes if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}
    return Statement(
        node,
        frozenset(binds),
        frozenset(reads),
        frozenset(_changed(nodes)) & frozenset(binds | reads),
        frozenset(_passed(nodes)),
        frozenset(calls),
        any(_uses(part, _ASKING) for part in nodes),
        any(isinstance(part, ast.Assert) or _uses(part, _ASKING | _SHOWING) for part in nodes),
    )


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Names that a statement binds in the module, and those that it reads there."""
    table = symbols(_source(node))
    # ``return`` at top level has no table.
    if table is None:
        names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
        return (
            {name.id for name in names if isinstance(name.ctx, ast.Store)},
            {name.id for name in names if isinstance(name.ctx, ast.Load)},
        )
    binds, reads = set(), set()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported():
            binds.add(symbol.get_name())
        if symbol.is_referenced():
            reads.add(symbol.get_name())
    for inner in _inner(table):
        for symbol in inner.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                reads.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                binds.add(symbol.get_name())
    return binds, reads


def _source(node: ast.stmt) -> str:
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        # Nested too deeply: a source that has no table either.
        return "return"


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)


def _changed(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            yield from _root(node)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr not in _LOGS
        ):
            yield from _root(node.func)


def _passed(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if isinstance(node.func, ast.Name) and called in BUILTINS | _SHOWING:
            continue
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            value = argument.value if isinstance(argument, ast.Starred) else argument
            yield from ((called, name) for name in _root(value))


def _root(node: ast.AST) -> Iterator[str]:
    """The name that ``a.b[c].d`` begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _uses(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether a node calls one of some functions, or is one of some parts of modules."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in names
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}" in names
    return False


def needed(program: Sequence[Statement], names: Collection[str]) -> set[int]:
    """Positions of the statements that something called ``names`` needs, in any number of steps.

    A statement is needed if it binds a needed name, or changes the object that one stands for; a call of a
    function that does so counts. A call of ``names`` themselves changes nothing: it only shows them off.
    """
    modules = {name for one in program if one.imports for name in one.binds}
    functions = definitions(program)
    showing = users(functions, names)
    effects = _effects(functions, names)
    wanted, found = set(names), set[int]()
    while True:
        before = len(found)
        for position, one in enumerate(program):
            if position in found or one.is_main:
                continue
            touched = set(one.binds)
            if not one.defines:
                touched |= {name for name in one.changes if name not in modules or _stores(one, name)}
                touched |= {name for called, name in one.passed if called not in showing} - modules
                touched |= {name for called in one.calls for name in effects.get(called, ())}
            if touched & wanted:
                found.add(position)
                wanted |= one.reads
        if len(found) == before:
            return found


def definitions(program: Iterable[Statement]) -> dict[str, Statement]:
    """Functions and classes at top level by their names; of two, the last."""
    return {one.node.name: one for one in program if isinstance(one.node, _DEFINITIONS)}


def users(functions: Mapping[str, Statement], names: Collection[str]) -> set[str]:
    """``names``, and the functions that use one of them, in any number of steps."""
    found = set(names)
    while more := {name for name, one in functions.items() if one.reads & found} - found:
        found |= more
    return found


def _effects(functions: Mapping[str, Statement], names: Collection[str]) -> dict[str, set[str]]:
    """For each function, the module's names that a call of it binds or changes.

    Nothing for ``names``, nor for what asks for input: no table is filled that way.
    """
    asking = users(functions, {name for name, one in functions.items() if one.asks})
    quiet = {name: one for name, one in functions.items() if name not in names and name not in asking}
    effects = {name: set(one.binds | one.changes) - set(functions) for name, one in quiet.items()}
    for _ in quiet:
        for name, one in quiet.items():
            effects[name] |= {other for called in one.calls for other in effects.get(called, ())}
    return effects


def _stores(one: Statement, name: str) -> bool:
    """Whether a statement gives an attribute or item of ``name`` a value."""
    return any(
        isinstance(node, (ast.Attribute, ast.Subscript))
        and not isinstance(node.ctx, ast.Load)
        and name in _root(node)
        for node in ast.walk(one.node)
    )


def free_names(program: Sequence[Statement]) -> set[str]:
    """Names that a program reads, and neither binds nor has from Python."""
    bound = {name for one in program for name in one.binds}
    return {name for one in program for name in one.reads} - bound - BUILTINS
