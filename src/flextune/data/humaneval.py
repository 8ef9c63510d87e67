"""HumanEval (arXiv:2107.03374), 164 Python problems, and HumanEval+ (arXiv:2305.01210), with more tests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from flextune.data.origins import HubSource, load_rows
from flextune.errors import FlextuneError
from flextune.files.rows import Row, json_kind, parse_unique
from flextune.records import Problem

#: Where an answer ends for a model that keeps writing; none occurs in a reference answer.
STOPS = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```")

FILES = ("HumanEval.jsonl.gz", "HumanEval.jsonl")
HUB = HubSource("openai/openai_humaneval", "openai_humaneval", "test")

PLUS_FILES = ("HumanEvalPlus.jsonl.gz", "HumanEvalPlus.jsonl")
PLUS_HUB = HubSource("evalplus/humanevalplus", "default", "test")


def problems(data_dir: Path | None = None) -> list[Problem]:
    """All problems in file order, their reference answers included.

    Raises:
        FlextuneError: If the file is missing everywhere, or naming the bad row.
    """
    return parse_unique(load_rows(FILES, data_dir=data_dir, hub=HUB), problem, lambda item: item.name)


def plus_problems(data_dir: Path | None = None) -> list[Problem]:
    """All problems of HumanEval+, from EvalPlus's release or from the hub.

    Raises:
        FlextuneError: If the file is missing everywhere, or naming the bad row.
    """
    rows = load_rows(PLUS_FILES, data_dir=data_dir, hub=PLUS_HUB)
    return parse_unique(rows, lambda row: problem(row, "humaneval-plus"), lambda item: item.name)


def problem(row: Row, benchmark: str = "humaneval") -> Problem:
    """One row as a problem: the tests are a ``check`` function and the call of it.

    HumanEval+ has either its ``check`` in the field ``test``, or inputs alone; then the reference computes
    what to expect while the tests run.
    """
    name = row.text("task_id")
    entry = row.text("entry_point")
    check = _without_numpy(row.text("test")) if "test" in row.fields else _differential(row, entry)
    return Problem(
        name=name,
        benchmark=benchmark,
        language="py",
        prompt=row.text("prompt"),
        tests=f"{check}\ncheck({entry})",
        stop=STOPS,
        reference=row.text("canonical_solution"),
        original=name,
        entry_point=entry,
    )


# Programs are judged with the standard library alone, and this is all that HumanEval+ needs of numpy.
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


def _without_numpy(test: str) -> str:
    used = set(re.findall(r"\bnp\.(\w+)", test))
    if used <= {"ndarray", "float32", "float64", "allclose"}:
        return _NUMPY.sub(lambda _: _STAND_IN, test)
    return test


# Compared as EvalPlus does: equal, or near where the reference gives floats or the row a tolerance; for
# find_zero any root will do.
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

    known = {{}}
    exec(compile({reference!r}, "reference", "exec"), known)
    reference = known[{entry!r}]
    for inputs in json.loads({inputs!r}):
        out, atol = candidate(*copy.deepcopy(inputs)), {atol!r}
        if {entry!r} == "find_zero":
            assert abs(sum(c * out**power for power, c in enumerate(inputs[0]))) <= atol
            continue
        exp = reference(*copy.deepcopy(inputs))
        if atol == 0 and floats(exp):
            atol = 1e-6
        assert out == exp or (atol and near(out, exp, atol)), (inputs, out, exp)
"""


def _differential(row: Row, entry: str) -> str:
    inputs = [*_inputs(row, "base_input"), *_inputs(row, "plus_input")]
    if not inputs:
        raise FlextuneError(f'{row.where}: no "test" and no inputs in "base_input" and "plus_input"')
    atol = row.fields.get("atol", 0)
    if not isinstance(atol, (int, float)):
        raise FlextuneError(f'{row.where}: field "atol" must be a number (found: {json_kind(atol)})')
    reference = row.text("prompt") + row.text("canonical_solution")
    return _CHECK.format(reference=reference, entry=entry, inputs=json.dumps(inputs), atol=atol)


def _inputs(row: Row, key: str) -> list[Any]:
    given = row.fields.get(key) or []
    if not isinstance(given, list) or not all(isinstance(arguments, list) for arguments in given):
        raise FlextuneError(f'{row.where}: field "{key}" must be a list of lists of arguments')
    return given
