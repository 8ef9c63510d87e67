"""From a published task to a training text: line ends, tabs, and code posed as HumanEval poses it."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from functools import lru_cache

from flextune.data.python_source import parse_python

Function = ast.FunctionDef | ast.AsyncFunctionDef

_INDENTATION = re.compile(r"^[ \t]+")

#: Width of one level where the code itself shows none.
_INDENT = "    "


# A search plans every training from the same tasks, and looking at programs takes longer than reading them.
@lru_cache(maxsize=8192)
def normalize(text: str) -> str:
    """LF line ends, and four spaces for a tab, as long as a program keeps its meaning.

    Where it would not, tabs inside its strings stay, and where tabs and spaces are mixed so that four spaces
    give another block structure, indentation is widened as Python reads it (to multiples of eight).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    tree = parse_python(text) if "\t" in text else None
    plain = text.replace("\t", _INDENT)
    if tree is None:
        return plain
    candidates = (plain, _indent_with_spaces(text, tree, 4), _indent_with_spaces(text, tree, 8))
    meaning = ast.dump(tree)
    return next((candidate for candidate in candidates if _meaning(candidate) == meaning), text)


def _indent_with_spaces(text: str, tree: ast.Module, width: int) -> str:
    """Widen the tabs that indent a statement, leaving lines that begin inside a string."""
    inside = {
        line
        for node in ast.walk(tree)
        if isinstance(node, (ast.Constant, ast.JoinedStr))
        for line in range(node.lineno, node.end_lineno or node.lineno)
    }
    lines = text.split("\n")
    return "\n".join(
        line if number in inside else _INDENTATION.sub(lambda match: match[0].expandtabs(width), line)
        for number, line in enumerate(lines)
    )


def _meaning(source: str) -> str | None:
    tree = parse_python(source)
    return None if tree is None else ast.dump(tree)


def as_comments(text: str) -> str:
    """Every line behind ``# ``."""
    return textwrap.indent(text.strip(), "# ", lambda line: True)


def pose_as_docstring(code: str, *, description: str, tests: str) -> tuple[str, str] | None:
    r"""Divide a program the way HumanEval poses a problem.

    The prompt is everything down to the signature of the function that the tests call, then the description
    as its docstring; the completion is the rest of the program. A docstring of the function's own is
    left out, as the description stands in its place.

    Args:
        code: The program, normalized.
        description: One or more lines.
        tests: The ``assert`` statements, one per line.

    Returns:
        ``(prompt, completion)``, for example ``("def f(x):\n    \"\"\"Add one.\n    \"\"\"\n",
        "    return x + 1\n")``; None when no function of the program is called by the tests, nothing is
        left of its body, or docstring and body share a line.
    """
    tree = parse_python(code)
    function = None if tree is None else _tested_function(tree, tests)
    return None if function is None else pose_function(code, function, description)


def pose_function(code: str, function: Function, description: str) -> tuple[str, str] | None:
    """As ``pose_as_docstring``, for one of the program's functions, as it was parsed."""
    lines = [line + "\n" for line in code.split("\n")]
    own_docstring = ast.get_docstring(function, clean=False) is not None
    body = function.body[own_docstring:]
    if not body or (own_docstring and body[0].lineno == function.body[0].end_lineno):
        return None
    end, colon = _signature_end(lines, function)
    signature, rest = lines[end][: colon + 1], lines[end][colon + 1 :]
    if function.body[0].lineno == end + 1:
        # A body on the signature's line: its statements move to a line of their own.
        indent, completion = _INDENT, _INDENT + rest.lstrip() + "".join(lines[end + 1 :])
    else:
        indent = lines[function.body[0].lineno - 1][: function.body[0].col_offset]
        signature += rest.rstrip()
        after = function.body[0].end_lineno if own_docstring else None
        completion = "".join(lines[after or end + 1 :])
    prompt = "".join(lines[:end]) + signature + "\n" + _docstring(description, indent)
    return prompt, completion.strip("\n") + "\n"


def _tested_function(tree: ast.Module, tests: str) -> Function | None:
    """The last definition of the program's function that the tests call first."""
    functions = {
        node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    called = ast.walk(parse_python(tests) or ast.Module([], []))
    calls = [node for node in called if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(call.func, ast.Name) and call.func.id in functions:
            return functions[call.func.id]
    return None


def _signature_end(lines: list[str], function: Function) -> tuple[int, int]:
    """Line (from 0) and column of the colon that ends the signature."""
    source = io.StringIO("".join(lines[function.lineno - 1 :]))
    depth = 0
    for token in tokenize.generate_tokens(source.readline):
        if token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return function.lineno - 2 + token.start[0], token.start[1]
    raise AssertionError("a parsed function has a colon")


def _docstring(description: str, indent: str) -> str:
    text = description.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    first, *more = text.strip().split("\n")
    body = "".join(f"{indent}{line}\n" if line.strip() else "\n" for line in more)
    return f'{indent}"""{first}\n{body}{indent}"""\n'
