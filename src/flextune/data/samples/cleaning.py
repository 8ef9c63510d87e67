"""What an answer has beside its solution: a main of its own, examples, exports; none of it may stay."""

from __future__ import annotations

import ast
import re

from flextune.data.python_source import parse_python
from flextune.data.samples.grammar import Grammar, closing_brace, without
from flextune.records import Problem

_PACKAGE = re.compile(r"^[ \t]*(?:package|namespace)\s+[\w.]+\s*;", re.MULTILINE)
_NAMESPACE = re.compile(r"^[ \t]*namespace\s+[\w.]+\s*\{", re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+(?:default\s+)?(?=(?:async\s+)?(?:function|class|const|let|var|type|interface|enum)\b)"
    r"|^export\b[^\n]*$",
    re.MULTILINE,
)
_REQUIRE = re.compile(r"^(?:const|let|var|import)\s+(\w+)\s*(?:=\s*require\(|from\b)[^\n]*$", re.MULTILINE)


def cleaned(problem: Problem, code: str, grammar: Grammar, entry: str | None, *, examples: bool) -> str:
    """Code without what would collide with the tests or run beside them.

    Args:
        problem: The problem that the code is for.
        code: A program, or a part of one.
        grammar: The language's.
        entry: The function that the tests call, where it is known.
        examples: Whether statements go too that only show the function off.
    """
    if problem.language == "py":
        return _python(code, entry, examples=examples)
    code = _without_main(problem, code, grammar)
    if examples and (entry is None or grammar.has_definition(code, entry)):
        code = without(code, _examples(code, grammar, entry))
    return code


def _python(code: str, entry: str | None, *, examples: bool) -> str:
    tree = parse_python(code)
    if tree is None:
        return code
    lines = code.split("\n")
    for statement in reversed(tree.body):
        if _is_main(statement) or (examples and _is_example(statement, entry)):
            del lines[statement.lineno - 1 : statement.end_lineno]
    return "\n".join(lines)


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


_SHOWING = {"print", "input", "main", "test", "check", "testmod"}


def _is_example(statement: ast.stmt, entry: str | None) -> bool:
    """Whether a statement at top level only calls the function, prints or asserts."""
    if isinstance(statement, ast.Assert):
        return True
    if not isinstance(statement, (ast.Expr, ast.For, ast.While, ast.With, ast.Try, ast.If)):
        return False
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name == entry or name in _SHOWING or name.startswith("test_"):
                return True
    return False


def _without_main(problem: Problem, code: str, grammar: Grammar) -> str:
    """Code without a main of its own and what else must not come before the tests."""
    language = problem.language
    if language in ("js", "ts"):
        code = _EXPORT.sub("", code)
        # A name may be declared once, and the tests declare their own.
        code = _REQUIRE.sub(lambda line: "" if _declares(problem.tests, line[1]) else line[0], code)
    if language == "php":
        code = re.sub(r"\?>\s*\Z", "", code)
    if language in ("java", "cs"):
        code = _PACKAGE.sub("", code)
    if language == "cs":
        code = _unwrapped(code, grammar)
    if grammar.main is not None:
        blanked = grammar.blank(code)
        heads = re.compile(grammar.main).finditer(blanked)
        code = without(code, [(head.start(), closing_brace(blanked, head.end() - 1) + 1) for head in heads])
    return code


def _declares(tests: str, name: str) -> bool:
    return re.search(rf"\b(?:const|let)\s+{name}\b", tests) is not None


def _unwrapped(code: str, grammar: Grammar) -> str:
    blanked = grammar.blank(code)
    spans = []
    for head in _NAMESPACE.finditer(blanked):
        end = closing_brace(blanked, head.end() - 1)
        spans += [(head.start(), head.end()), (end, end + 1)]
    return without(code, spans)


def _examples(code: str, grammar: Grammar, entry: str | None) -> list[tuple[int, int]]:
    """Statements at the left margin, outside all brackets, that call, print or assert."""
    if grammar.example is None:
        return []
    begins = re.compile(grammar.example.replace("{name}", re.escape(entry) if entry else "(?!)"))
    blanked = grammar.blank(code)
    spans: list[tuple[int, int]] = []
    depth = position = 0
    start: int | None = None
    block = False
    for line in blanked.splitlines(keepends=True):
        if start is None and depth == 0 and begins.match(blanked, position):
            start, block = position, line.startswith("if __FILE__")
        depth = max(0, depth + sum(_BRACKETS.get(mark, 0) for mark in line))
        position += len(line)
        if start is not None and depth == 0 and (not block or line.startswith("end")):
            spans.append((start, position))
            start = None
    return spans if start is None else [*spans, (start, len(code))]


_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
