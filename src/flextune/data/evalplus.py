"""EvalPlus (arXiv:2305.01210): HumanEval and MBPP with many more inputs; a reference says what is right."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flextune.data.python_source import parse_python
from flextune.errors import FlextuneError
from flextune.files.rows import Row, json_kind

#: What a value is in Python beyond JSON: a name, for a container with the kind of its items; None: as JSON.
Kind = str | tuple[str, Any] | None

# Programs may have the standard library alone, and this is all that published tests need of numpy.
_STAND_IN = """
class np:
    class ndarray:
        pass

    float32 = float64 = float

    @staticmethod
    def allclose(out, exp, rtol=1e-05, atol=1e-08):
        if isinstance(exp, (list, tuple)):
            return (
                isinstance(out, (list, tuple))
                and len(out) == len(exp)
                and all(np.allclose(a, b, rtol, atol) for a, b in zip(out, exp))
            )
        numbers = isinstance(out, (int, float)) and isinstance(exp, (int, float))
        return out == exp or (numbers and abs(out - exp) <= atol + rtol * abs(exp))
"""
_NUMPY = re.compile(r"^import numpy as np[ \t]*$", re.MULTILINE)

# Compared as EvalPlus does: equal, or near where the reference gives floats or the row a tolerance. For
# find_zero any root will do, three functions may return a match or a bool, two may always say the same.
_CHECK = """
def check(candidate):
    import copy, json

    def near(out, exp, atol):
        if isinstance(exp, (list, tuple)):
            return (
                isinstance(out, (list, tuple))
                and len(out) == len(exp)
                and all(near(a, b, atol) for a, b in zip(out, exp))
            )
        numbers = isinstance(out, (int, float)) and isinstance(exp, (int, float))
        return out == exp or (numbers and abs(out - exp) <= atol + 1e-7 * abs(exp))

    def floats(value):
        return isinstance(value, float) or (
            isinstance(value, (list, tuple)) and all(isinstance(item, float) for item in value)
        )

    def number(text):
        try:
            return float(text)
        except ValueError:
            pass
        try:
            return complex(text)
        except ValueError:
            return text

    def meant(value, kind):
        name, inner = kind if isinstance(kind, list) else (kind, None)
        if name == "number" and isinstance(value, str):
            return number(value)
        if name == "dict" and isinstance(value, dict):
            return {{key: meant(item, inner) for key, item in value.items()}}
        if not isinstance(value, list):
            return value
        items = [meant(item, kind if name == "tree" else inner) for item in value]
        if name in ("tuple", "tree"):
            return tuple(items)
        return (set(items) if items else {{}}) if name == "set" else items

    known = {{}}
    exec(compile({reference!r}, "reference", "exec"), known)
    reference, entry = known[{entry!r}], {entry!r}
    kinds = json.loads({kinds!r})
    seen = []
    for inputs in json.loads({inputs!r}):
        inputs = [meant(value, kinds[n] if n < len(kinds) else None) for n, value in enumerate(inputs)]
        out, atol = candidate(*copy.deepcopy(inputs)), {atol!r}
        if entry == "find_zero":
            assert abs(sum(c * out**power for power, c in enumerate(inputs[0]))) <= atol
            continue
        exp = reference(*copy.deepcopy(inputs))
        if entry in ("check_str", "text_match_three", "text_starta_endb"):
            exp = exp if isinstance(exp, bool) else exp is not None
            out = out if isinstance(out, bool) else out is not None
        if entry in ("are_equivalent", "sum_div"):
            seen.append((out, exp))
            continue
        if {as_set!r}:
            out, exp = set(out), set(exp)
        if atol == 0 and floats(exp):
            atol = 1e-6
        assert out == exp or (atol and near(out, exp, atol)), (inputs, out, exp)
    always = {{"are_equivalent": True, "sum_div": 0}}.get(entry)
    assert all(out == exp for out, exp in seen) or all(out == always for out, _ in seen), seen[:3]
"""


def without_numpy(test: str) -> str:
    """Tests that need no numpy for what they use of it; those that use more stay as they are."""
    used = set(re.findall(r"\bnp\.(\w+)", test))
    if used <= {"ndarray", "float32", "float64", "allclose"}:
        return _NUMPY.sub(lambda _: _STAND_IN, test)
    return test


def has_inputs(row: Row) -> bool:
    """Whether a row has inputs of EvalPlus's, and no test that says what each of them must give."""
    test = row.fields.get("test")
    computed = isinstance(test, str) and re.search(r"^\s*results\s*=", test, re.MULTILINE)
    return bool(row.fields.get("base_input") or row.fields.get("plus_input")) and not computed


def differential(row: Row, entry: str) -> str:
    """A ``check`` function for the inputs of a row; the reference computes what to expect while it runs.

    JSON has no tuples, sets and complex numbers. Which arguments are meant to be such is read from the calls
    that the row itself shows: in ``assertion``, ``test`` and ``prompt``.

    Raises:
        FlextuneError: There are no inputs, or they are no lists of arguments.
    """
    inputs = [*_inputs(row, "base_input"), *_inputs(row, "plus_input")]
    if not inputs:
        raise FlextuneError(f'{row.where}: no "test" and no inputs in "base_input" and "plus_input"')
    atol = row.fields.get("atol", 0)
    if not isinstance(atol, (int, float)):
        raise FlextuneError(f'{row.where}: field "atol" must be a number (found: {json_kind(atol)})')
    shown = next(filter(None, map(row.fields.get, ("assertion", "test"))), "")
    shown = f"{shown}\n{row.text('prompt')}"
    return _CHECK.format(
        reference=row.text("prompt") + row.text("canonical_solution"),
        entry=entry,
        inputs=json.dumps(inputs),
        kinds=json.dumps(_kinds(shown, entry)),
        atol=atol,
        as_set=re.search(rf"\bset\(\s*{re.escape(entry)}\(", shown) is not None,
    )


def _inputs(row: Row, key: str) -> list[Any]:
    given = row.fields.get(key) or []
    if not isinstance(given, list) or not all(isinstance(arguments, list) for arguments in given):
        raise FlextuneError(f'{row.where}: field "{key}" must be a list of lists of arguments')
    return given


def _kinds(text: str, entry: str) -> list[Kind]:
    """The kind of each argument, as far as the calls of ``entry`` in a text agree."""
    kinds: list[Kind] = []
    for arguments in _calls(text, entry):
        found = [_kind(value) for value in arguments]
        kinds = found if not kinds else [_merged((a, b)) for a, b in zip(kinds, found, strict=False)]
    return kinds


def _calls(text: str, entry: str) -> Iterator[list[Any]]:
    """Arguments of the calls of ``entry`` that have literal ones alone."""
    for begin in re.finditer(rf"(?<![\w.]){re.escape(entry)}\(", text):
        # A call ends at one of the closing brackets that follow; the first that makes it whole is its own.
        for end in list(re.finditer(r"\)", text[begin.end() : begin.end() + _LONGEST_CALL]))[:_BRACKETS]:
            tree = parse_python(text[begin.start() : begin.end() + end.end()])
            if tree is None:
                continue
            [statement] = tree.body
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                with contextlib.suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                    yield [ast.literal_eval(argument) for argument in statement.value.args]
            break


#: Calls of more characters or closing brackets are not looked at: others show the same.
_LONGEST_CALL, _BRACKETS = 2000, 60


def _kind(value: Any) -> Kind:
    if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
        return "number"
    if isinstance(value, tuple):
        # Where tuples stand beside other things, they may be nested at any depth.
        mixed = len({isinstance(item, tuple) for item in value}) == 2
        return ("tree", None) if mixed else ("tuple", _merged(map(_kind, value)))
    if isinstance(value, (set, frozenset)):
        return ("set", None)
    # {} may stand for an empty set, too.
    if isinstance(value, dict) and value:
        return ("dict", _merged(map(_kind, value.values())))
    if isinstance(value, list):
        return ("list", _merged(map(_kind, value)))
    return None


def _merged(kinds: Iterable[Kind] | Sequence[Kind]) -> Kind:
    """What kinds have in common: of containers of one name, one with what their items have in common."""
    found = list(kinds)
    containers = [kind for kind in found if isinstance(kind, tuple)]
    if not containers:
        return "number" if found and all(kind == "number" for kind in found) else None
    names = {kind[0] for kind in containers}
    if names == {"tree", "tuple"}:
        return ("tree", None)
    if len(names) > 1:
        return None
    # An empty container says nothing of its items.
    inner = [kind[1] for kind in containers if kind[1] is not None]
    return (names.pop(), _merged(inner) if inner else None)
