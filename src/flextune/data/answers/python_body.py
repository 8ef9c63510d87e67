"""The body of a Python function, indented so that it continues its prompt."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from flextune.data.answers.python_flow import tree_of
from flextune.data.answers.rules import Trace

#: In longer bodies no prose is looked for.
_LONGEST = 20_000
#: Lines of prose that are looked for before and after a body.
_MOST_PROSE = 12


def is_body(code: str) -> bool:
    """Whether code has a ``return`` or ``yield`` outside every function, or begins indented."""
    first = next((line for line in code.split("\n") if line.strip()), "")
    if first[:1].isspace():
        return True
    for candidate in (code, _with_first_line(code)):
        tree = tree_of(candidate if candidate == code else textwrap.dedent(candidate))
        if tree is not None:
            return any(_returns(node) for node in tree.body)
    return False


def _returns(node: ast.AST) -> bool:
    if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
        return True
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return False
    return any(map(_returns, ast.iter_child_nodes(node)))


def fitted_body(prompt: str, code: str, trace: Trace) -> str:
    """Code that follows a prompt which breaks off within a function.

    As it is where that is a body; else indented as the prompt's own lines are; else also with its first line
    indented as the rest is, because many a tool strips it. Each is tried without prose before and after it,
    too. Where nothing fits: as it is, or indented if it begins at the margin.
    """
    indent = _indent(prompt)
    for part in _parts(code) if len(code) < _LONGEST else (code,):
        for candidate in (part, _indented(part, indent), _indented(_with_first_line(part), indent)):
            if _continues(prompt, candidate):
                if candidate not in code:
                    trace.note("indented", f"by {len(indent)} columns" if indent.strip("\t") else "by a tab")
                return candidate
    first = next((line for line in code.split("\n") if line.strip()), "")
    return code if first[:1].isspace() else re.sub(r"^(?=[^\n])", indent, code, flags=re.MULTILINE)


def _parts(code: str) -> Iterator[str]:
    """The code, then what is left of it without some lines at its beginning and end."""
    yield code
    lines = code.strip("\n").split("\n")
    most = min(_MOST_PROSE, len(lines))
    for cut in range(1, 2 * most):
        for first in range(min(cut, most - 1), -1, -1):
            last = len(lines) - (cut - first)
            if cut - first < most and first < last and lines[first].strip():
                yield "\n".join(lines[first:last]) + "\n"


def _indent(prompt: str) -> str:
    """The indentation of the body that a prompt begins."""
    lines = [line for line in prompt.split("\n") if line.strip()]
    last = lines[-1] if lines else ""
    own = last[: len(last) - len(last.lstrip())]
    heads = re.findall(r"^([ \t]*)(?:async[ \t]+)?def\b", prompt, re.MULTILINE)
    head = heads[-1] if heads else ""
    deeper = own if len(own) > len(head) else head + "    "
    return next(
        (known for known in (deeper, head + "    ", head + "\t") if tree_of(f"{prompt}\n{known}pass\n")),
        deeper,
    )


def _indented(code: str, indent: str) -> str:
    return textwrap.indent(textwrap.dedent(code.expandtabs(4) if _mixed(code) else code), indent)


def _mixed(code: str) -> bool:
    """Whether some lines are indented by tabs and others by spaces."""
    return (
        re.search(r"^\t", code, re.MULTILINE) is not None and re.search(r"^ ", code, re.MULTILINE) is not None
    )


def _with_first_line(code: str) -> str:
    """Code whose first line has the indentation of the shallowest other one."""
    first, _, rest = code.lstrip("\n").partition("\n")
    others = [len(line) - len(line.lstrip()) for line in rest.split("\n") if line.strip()]
    shallowest = min(others, default=0)
    margin = next((line[:shallowest] for line in rest.split("\n") if line.strip()), "")
    return f"{margin}{first.lstrip()}\n{rest}"


def _continues(prompt: str, code: str) -> bool:
    """Whether code adds statements to the prompt's last function, and has no ``return`` outside of it."""
    if not code.strip():
        return False
    tree = tree_of(prompt + code)
    if tree is None or any(_returns(node) for node in tree.body):
        return False
    function = _last_function(tree, prompt.rstrip("\n").count("\n") + 1)
    if function is None:
        return False
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return bool(body)


def _last_function(tree: ast.Module, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function that the prompt's last line is in."""
    found = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line:
            found = node if found is None or node.lineno >= found.lineno else found
    return found
