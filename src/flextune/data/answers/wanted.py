"""Which names an answer must define."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from flextune.data.answers.grammar import Grammar, grammar_of
from flextune.data.answers.python_flow import BUILTINS, bound_in, free_names, program_of, tree_of
from flextune.records import Problem

#: What a class of LeetCode's form is called in tests and answers.
SOLUTION = "Solution"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the tests of a problem ask for.

    Attributes:
        entry: The function that they call, or the class; None where nobody says.
        method: Whether they call it as a method of ``Solution``.
        posed: Whether the prompt begins the definition of ``entry``, so that a body can follow it.
        used: All names that the tests use and nobody else defines, ``entry`` among them.
    """

    entry: str | None
    method: bool = False
    posed: bool = False
    used: frozenset[str] = frozenset()


# Asked for every sample of a problem.
@lru_cache(maxsize=256)
def wanted_of(problem: Problem) -> Wanted:
    """The function that a problem names, or the last one in its prompt, or the one that its tests call."""
    if problem.cases:
        return Wanted(None)
    grammar = grammar_of(problem.language)
    entry = (problem.entry_point or "").rpartition(".")[2] or None
    blanked = grammar.blank(problem.prompt)
    if entry is None:
        found = [match["name"] for match in grammar.definition().finditer(blanked)]
        entry = found[-1] if found else None
    used = frozenset[str]()
    if problem.language == "py":
        used = _used(problem)
        if entry is None:
            entry = _called(problem, used)
    posed = entry is not None and grammar.definition(entry).search(blanked) is not None
    method = entry is not None and re.search(rf"\b{SOLUTION}\(\)\s*\.\s*{re.escape(entry)}\b", problem.tests)
    return Wanted(entry, bool(method), posed, used | ({entry} if entry else set()))


def _used(problem: Problem) -> frozenset[str]:
    program = program_of(problem.tests)
    return frozenset() if program is None else frozenset(free_names(program))


def _called(problem: Problem, used: frozenset[str]) -> str | None:
    """The name that most statements of the tests call, one that the reference defines before others."""
    tree = tree_of(problem.tests)
    if tree is None:
        return None
    reference = tree_of(problem.reference or "")
    defined = set(bound_in(reference)) if reference else set[str]()
    counts: dict[str, int] = {}
    for node in tree.body:
        for name in dict.fromkeys(_calls(node)):
            if name in used:
                counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: (name in defined, counts[name]), default=None)


def _calls(node: ast.AST) -> Iterable[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id not in BUILTINS:
            yield part.func.id


def wanted_in(code: str, problem: Problem, wanted: Wanted, grammar: Grammar) -> Wanted:
    """``wanted``; where nobody names the function, the first one of the answer's that the tests call."""
    if wanted.entry is not None or problem.cases:
        return wanted
    tests = grammar.blank(problem.tests)
    for found in grammar.definition().finditer(grammar.blank(code)):
        if re.search(rf"(?<![\w$.]){re.escape(found['name'])}(?![\w$])", tests):
            return replace(wanted, entry=found["name"])
    return wanted


def defines(code: str, wanted: Wanted, grammar: Grammar) -> bool:
    """Whether code defines what the tests call: at top level, or as a method of a class."""
    if wanted.entry is None:
        return False
    if grammar.short == "py" and (tree := tree_of(code)) is not None:
        return wanted.entry in bound_in(tree) or solution_class(code, wanted.entry) is not None
    return grammar.has_definition(code, wanted.entry) or grammar.has_method(code, wanted.entry)


def defines_function(code: str, wanted: Wanted, grammar: Grammar) -> bool:
    """Whether code defines it as a function or in ``Solution``: a variable or another's method is less."""
    if wanted.entry is None:
        return False
    tree = tree_of(code) if grammar.short == "py" else None
    if tree is None:
        return grammar.has_definition(code, wanted.entry) or SOLUTION in code
    return solution_class(code, wanted.entry) == SOLUTION or any(
        getattr(node, "name", None) == wanted.entry
        or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda))
        for node in tree.body
    )


def solution_class(code: str, method: str) -> str | None:
    """The class of a Python program that has a method of that name, ``Solution`` before others."""
    tree = tree_of(code)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)] if tree else []
    having = [
        node.name
        for node in classes
        if any(
            isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.name == method
            for part in node.body
        )
    ]
    return SOLUTION if SOLUTION in having else (having[-1] if having else None)
