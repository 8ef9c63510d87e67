"""Small changes to a right program, each of which tests should notice.

Python is changed by its syntax tree, other languages by their tokens outside of comments and literals. A
mutant may mean the same as its original; that nothing noticed it shows a weak test or an equivalent mutant.
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from flextune.data.answers.grammar import grammar_of
from flextune.data.python_source import parse_python
from flextune.records import Problem


@dataclass(frozen=True, slots=True)
class Mutant:
    """A reference with one change.

    Attributes:
        text: What follows the prompt.
        line: Line of the reference that differs, from 1.
        before: That line.
        after: What became of it; empty where it was dropped.
    """

    text: str
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        became = f"`{self.after}`" if self.after else "dropped"
        return f"line {self.line}: `{self.before}` -> {became}"


@dataclass(frozen=True, slots=True)
class _Edit:
    kind: str
    start: int
    end: int
    text: str


def mutants(problem: Problem, count: int, rng: random.Random) -> list[Mutant]:
    """At most ``count`` different mutants of a problem's reference, of as many kinds as there are.

    Args:
        problem: With a reference.
        count: Most mutants.
        rng: Chooses among those that are possible.
    """
    reference = problem.reference or ""
    edits = _python(problem.prompt, reference) if problem.language == "py" else _tokens(problem, reference)
    kinds: dict[str, list[_Edit]] = defaultdict(list)
    for edit in edits:
        kinds[edit.kind].append(edit)
    for group in kinds.values():
        rng.shuffle(group)
    by_text: dict[str, Mutant] = {}
    for turn in zip_longest(*kinds.values()):
        for edit in turn:
            if edit is not None and len(by_text) < count:
                mutant = _applied(reference, edit)
                if mutant.text != reference:
                    by_text.setdefault(mutant.text, mutant)
    return list(by_text.values())


def _applied(reference: str, edit: _Edit) -> Mutant:
    text = reference[: edit.start] + edit.text + reference[edit.end :]
    start = reference.rfind("\n", 0, edit.start) + 1
    end = reference.find("\n", edit.end)
    rest = len(reference) - (end if end >= 0 else len(reference))
    before, after = reference[start : len(reference) - rest], text[start : len(text) - rest]
    return Mutant(text, reference.count("\n", 0, start) + 1, _line(before), _line(after))


def _line(text: str) -> str:
    return " ".join(text.split())


_COMPARISONS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "===",
    "~=": "==",
    "in": "not in", "not in": "in", "is": "is not", "is not": "is",
    "eq": "ne", "ne": "eq", "lt": "le", "le": "lt", "gt": "ge", "ge": "gt",
    "-lt": "-le", "-le": "-lt", "-gt": "-ge", "-ge": "-gt", "-eq": "-ne", "-ne": "-eq",
}  # fmt: skip
_ARITHMETIC = {
    "+": "-", "-": "+", "*": "+", "/": "*", "//": "*", "%": "*", "**": "*",
    "+=": "-=", "-=": "+=", "*=": "+=", "++": "--", "--": "++",
}  # fmt: skip
_LOGIC = {"and": "or", "or": "and", "&&": "||", "||": "&&"}
_TRUTH = {"true": "false", "True": "False", "TRUE": "FALSE", "#t": "#f"}
_TRUTH |= {no: yes for yes, no in _TRUTH.items()}


def _python(prompt: str, reference: str) -> Iterator[_Edit]:
    """Edits of a reference by the syntax tree of the whole program; none if that is none."""
    source = prompt + reference
    tree = parse_python(source)
    if tree is None:
        return
    places = _Places(source)
    first = len(prompt)
    for node in ast.walk(tree):
        for kind, start, end, text in _node_edits(node, source, places):
            if start >= first:
                yield _Edit(kind, start - first, end - first, _apart(source, start, end, text))


def _apart(source: str, start: int, end: int, text: str) -> str:
    """``text``, kept from growing together with a word beside it: ``return(a)+b`` has no space."""
    before = " " if re.match(r"\w\w", source[start - 1 : start] + text) else ""
    after = " " if re.match(r"\w\w", text[-1:] + source[end : end + 1]) else ""
    return before + text + after


class _Places:
    """Positions in a source for the lines and bytes that a syntax tree counts in."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def at(self, line: int, column: int) -> int:
        """The position of a byte of a line."""
        prefix = self._lines[line - 1].encode()[:column]
        return self._starts[line - 1] + len(prefix.decode())

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Position of a node's first character."""
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Position after a node's last character."""
        return self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)


_Change = tuple[str, int, int, str]


def _node_edits(node: ast.AST, source: str, at: _Places) -> Iterator[_Change]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right in pairwise(operands):
            yield from _operator("comparison", _COMPARISONS, at.end(left), at.start(right), source)
    elif isinstance(node, ast.BinOp):
        yield from _operator("arithmetic", _ARITHMETIC, at.end(node.left), at.start(node.right), source)
    elif isinstance(node, ast.AugAssign):
        yield from _operator("arithmetic", _ARITHMETIC, at.end(node.target), at.start(node.value), source)
        yield "statement", at.start(node), at.end(node), "pass"
    elif isinstance(node, ast.BoolOp):
        for left, right in pairwise(node.values):
            yield from _operator("logic", _LOGIC, at.end(left), at.start(right), source)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "logic", at.start(node), at.start(node.operand), ""
    elif isinstance(node, ast.Constant):
        yield from _constant(node, at)
    elif isinstance(node, (ast.If, ast.IfExp)):
        for truth in ("True", "False"):
            yield "condition", at.start(node.test), at.end(node.test), truth
    elif isinstance(node, ast.Return) and node.value is not None:
        # False equals 0, and True equals 1.
        truthful = isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool)
        for value in ("None", "[]", '""') if truthful else ("0", "True", "[]", '""'):
            yield "return", at.start(node.value), at.end(node.value), value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        stop = node.args[min(1, len(node.args) - 1)] if node.args else None
        if stop is not None and not isinstance(stop, ast.Starred):
            text = source[at.start(stop) : at.end(stop)]
            for step in ("+ 1", "- 1"):
                yield "range", at.start(stop), at.end(stop), f"{text} {step}"
    elif isinstance(node, ast.Assign) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield "statement", at.start(node), at.end(node), "pass"


def _operator(kind: str, swaps: dict[str, str], start: int, end: int, source: str) -> Iterator[_Change]:
    # Brackets around the operands, and line breaks, may be there too.
    match = re.search(r"not\s+in|is\s+not|\w+|[^\s()\\\w]+", source[start:end])
    if match is None:
        return
    other = swaps.get(" ".join(match[0].split()))
    if other is not None:
        yield kind, start + match.start(), start + match.end(), other


def _constant(node: ast.Constant, at: _Places) -> Iterator[_Change]:
    span = at.start(node), at.end(node)
    if isinstance(node.value, bool):
        yield "constant", *span, str(not node.value)
    elif isinstance(node.value, (int, float)):
        for changed in (node.value + 1, node.value - 1):
            yield "constant", *span, repr(changed) if changed >= 0 else f"({changed!r})"


_OPERATORS = re.compile(
    r"(?<=[\s(])(?:[<>=!~]=|[<>]|===|!==|[+\-*/%]|\+=|-=|\*=|&&|\|\||and|or|eq|ne|lt|le|gt|ge|-[lg][te]|-eq|-ne)(?=\s)"
)
_STEPS = re.compile(r"\+\+|--(?=[;)\s])")
_TRUTHS = re.compile(r"(?<!\w)(?:true|false|TRUE|FALSE|True|False|\#t|\#f)(?!\w)")
_NUMBER = re.compile(r"(?<![\w.$\#])\d{1,9}(?![\w.])")
_RETURN = re.compile(r"\breturn\b[ \t]+([^;\n]+)")
_STATEMENT = re.compile(r"^[ \t]*(?!return\b|break\b|continue\b)[^{}\n]*;[ \t]*$", re.MULTILINE)


def _tokens(problem: Problem, reference: str) -> Iterator[_Edit]:
    """Edits that do not need to understand the language; those that it refuses are no mutants."""
    code = grammar_of(problem.language).blank(reference)
    swaps = {**_COMPARISONS, **_ARITHMETIC, **_LOGIC}
    for match in _OPERATORS.finditer(code):
        if match[0] in swaps:
            kind = next(k for k, table in _TABLES.items() if match[0] in table)
            yield _Edit(kind, match.start(), match.end(), swaps[match[0]])
    for match in _STEPS.finditer(code):
        yield _Edit("arithmetic", match.start(), match.end(), _ARITHMETIC[match[0]])
    for match in _TRUTHS.finditer(code):
        yield _Edit("constant", match.start(), match.end(), _TRUTH[match[0]])
    for match in _NUMBER.finditer(code):
        for step in (1, -1):
            yield _Edit("constant", match.start(), match.end(), str(int(match[0]) + step))
    for match in _RETURN.finditer(code):
        for value in ("0", "true", "false", '""'):
            yield _Edit("return", match.start(1), match.end(1), value)
    for match in _STATEMENT.finditer(code):
        if match[0].strip():
            yield _Edit("statement", match.start(), match.end(), "")


_TABLES = {"comparison": _COMPARISONS, "arithmetic": _ARITHMETIC, "logic": _LOGIC}
