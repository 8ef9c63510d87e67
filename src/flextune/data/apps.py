"""APPS (arXiv:2105.09938): 10,000 Python problems of programming contests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from flextune.data.origins import HubSource, load_rows
from flextune.errors import FlextuneError
from flextune.files.rows import Row, json_kind
from flextune.records import Case, Problem

Split = Literal["train", "test"]
Difficulty = Literal["introductory", "interview", "competition"]

HUB_REPO = "codeparrot/apps"

#: Programs have no natural end in a completion; these begin what is no program any more.
STOPS = ("\n```", '\n"""', "\nQUESTION:", "\nANSWER:")

# What the authors' evaluator imports before every program (their numpy aside); many solutions rely on it.
PREAMBLE = """\
import sys
import time
import itertools
from itertools import accumulate, product, permutations, combinations
import collections
from collections import Counter, OrderedDict, deque, defaultdict, ChainMap
from functools import lru_cache
import math
from math import sqrt, sin, cos, tan, ceil, fabs, floor, gcd, exp, log, log2
import fractions
from typing import List, Tuple
import random
import heapq
from heapq import *
"""


@dataclass(frozen=True, slots=True)
class AppsRow:
    """One task as published.

    Attributes:
        number: 0 to 4,999 in its split.
        question: The task in prose.
        solutions: Right programs, as far as the authors know.
        inputs: What each test gives: arguments of a call, or text of standard input.
        outputs: What each test expects.
        function: Called by the tests; None: programs read and print.
        starter: Code that a solution begins with, mostly empty.
        difficulty: The authors' own classes.
    """

    number: int
    question: str
    solutions: tuple[str, ...]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    function: str | None = None
    starter: str = ""
    difficulty: str = ""

    @property
    def name(self) -> str:
        """``APPS/1204``."""
        return f"APPS/{self.number}"


def read(
    data_dir: Path | None = None, split: Split = "test", difficulties: Iterable[Difficulty] = ()
) -> list[AppsRow]:
    """Rows of one split that have tests, in file order.

    Args:
        data_dir: Folder to look in first, for ``apps/test.jsonl``, ``apps-test.jsonl`` or ``apps.jsonl``.
        split: Rows that say another split are left out.
        difficulties: The wanted ones; all if empty.

    Raises:
        FlextuneError: For an unknown split or difficulty, a file missing everywhere, or naming the bad row.
    """
    wanted = tuple(difficulties)
    for given, known in ((split, get_args(Split)), *((one, get_args(Difficulty)) for one in wanted)):
        if given not in known:
            raise FlextuneError(f"apps: unknown {given!r} (known: {', '.join(known)})")
    parsed = map(parse_row, published_rows(data_dir, split))
    found = [row for row in parsed if row.inputs and (not wanted or row.difficulty in wanted)]
    if not found:
        raise FlextuneError(f"apps: no row of the {split} split with tests in the file")
    return found


def published_rows(data_dir: Path | None, split: Split) -> Iterator[Row]:
    """Rows of one split as they are, from ``apps/SPLIT``, ``apps-SPLIT`` or ``apps`` in a folder, or the hub.

    Raises:
        FlextuneError: For a file missing everywhere.
    """
    names = [
        f"{stem}{end}"
        for stem in (f"apps/{split}", f"apps-{split}", "apps")
        for end in (".jsonl", ".jsonl.gz", ".parquet")
    ]
    rows = load_rows(names, data_dir=data_dir, hub=HubSource(HUB_REPO, "all", split))
    return (row for row in rows if row.fields.get("split", split) == split)


def parse_row(row: Row) -> AppsRow:
    """Check and type a row; fields that hold JSON as text are read.

    Raises:
        FlextuneError: Naming row and field.
    """
    tests = json_field(row, "input_output", dict)
    inputs, outputs = (_tests(row, tests, key) for key in ("inputs", "outputs"))
    if len(inputs) != len(outputs):
        raise FlextuneError(f"{row.where}: {len(inputs)} inputs but {len(outputs)} outputs in input_output")
    solutions = json_field(row, "solutions", list)
    return AppsRow(
        number=row.integer("problem_id" if "problem_id" in row.fields else "id"),
        question=row.text("question"),
        solutions=tuple(text for text in solutions if isinstance(text, str)),
        inputs=inputs,
        outputs=outputs,
        function=tests.get("fn_name"),
        starter=row.optional_text("starter_code") or "",
        difficulty=row.optional_text("difficulty") or "",
    )


def json_field(row: Row, key: str, kind: type[Any]) -> Any:
    """A field of JSON, or of JSON as text; where that is empty, an empty value."""
    value = row.fields.get(key)
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        # Some rows hold integers of more digits than Python reads.
        except (ValueError, RecursionError) as error:
            raise FlextuneError(f'{row.where}: field "{key}" cannot be read as JSON ({error})') from error
    if not value:
        return kind()
    if not isinstance(value, kind):
        raise FlextuneError(f'{row.where}: field "{key}" must hold JSON (found: {json_kind(value)})')
    return value


def _tests(row: Row, tests: dict[str, Any], key: str) -> tuple[Any, ...]:
    values = tests.get(key, [])
    if not isinstance(values, list):
        raise FlextuneError(
            f'{row.where}: "{key}" in input_output must be a list (found: {json_kind(values)})'
        )
    return tuple(values)


def plain_prompt(row: AppsRow) -> str:
    """The authors' own prompt; the answer is a program of its own."""
    starter = f"\n{row.starter}" if row.starter else ""
    way = "Call-Based" if row.function else "Standard Input"
    return f"\nQUESTION:\n{row.question}{starter}\nUse {way} format\nANSWER:\n"


def docstring_prompt(row: AppsRow) -> str:
    """The authors' imports and, in a docstring, the authors' prompt: a program's beginning."""
    question = plain_prompt(row).replace('"""', "'''")
    raw = "r" if "\\" in question else ""
    return f'{PREAMBLE}{raw}"""{question}"""\n'


def problems(rows: Iterable[AppsRow]) -> list[Problem]:
    """Problems whose prompt is the authors' imports and, in a docstring, the authors' prompt.

    The prompt is a program's beginning, so a completion of ``plain_prompt`` can be judged after it too.
    """
    return [problem(row) for row in rows]


def problem(row: AppsRow) -> Problem:
    """One task as a problem."""
    return Problem(
        name=row.name,
        benchmark="apps",
        language="py",
        prompt=docstring_prompt(row),
        tests=_calls(row) if row.function else "",
        stop=STOPS,
        reference=row.solutions[0] if row.solutions else None,
        original=str(row.number),
        entry_point=row.function,
        cases=() if row.function else tuple(map(_case, row.inputs, row.outputs)),
    )


def _case(given: Any, expected: Any) -> Case:
    return Case(_text(given), _text(expected))


def _text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


# As lenient as the authors' evaluator (``testing_util.py``): a method of Solution or a function; a tuple is
# as good as a list; the expected value, or the first of a list of them; and whole numbers as keys, which
# JSON cannot write. An expected float may be missed by 1e-6, absolutely or relative to it.
_CHECK = """
def check(candidate):
    import json

    def keys(value):
        try:
            return {{int(key): item for key, item in value.items()}}
        except (AttributeError, ValueError):
            return value

    def same(out, expected):
        if isinstance(expected, list):
            return (
                isinstance(out, (list, tuple))
                and len(out) == len(expected)
                and all(same(one, other) for one, other in zip(out, expected))
            )
        if isinstance(expected, dict):
            if not isinstance(out, dict):
                return False
            pairs = keys(expected) if set(out) != set(expected) else expected
            return set(out) == set(pairs) and all(same(out[key], item) for key, item in pairs.items())
        if isinstance(expected, float) and type(out) in (int, float):
            near = abs(out - expected) <= 1e-6 * max(1.0, abs(expected))
            return out == expected or near or (out != out and expected != expected)
        return out == expected

    inputs, outputs = json.loads({tests!r})
    for given, expected in zip(inputs, outputs):
        if given and isinstance(given[0], dict):
            given = [keys(given[0])]
        out = candidate(*given)
        first = {first!r} and isinstance(expected, list) and len(expected) > 0
        assert same(out, expected) or (first and same(out, expected[0])), (given, out, expected)

check(Solution().{function} if "Solution" in globals() else {function})
"""


def _calls(row: AppsRow) -> str:
    function = row.function or ""
    if not function.isidentifier():
        raise FlextuneError(f"{row.name}: {row.function!r} is no name of a function")
    return calls_of(row.inputs, row.outputs, function, first=True)


def calls_of(inputs: Sequence[Any], outputs: Sequence[Any], function: str, *, first: bool) -> str:
    """Tests that call a function, or the method of that name of a class ``Solution``.

    Args:
        inputs: The arguments of each call, as JSON.
        outputs: What each must give.
        function: Its name.
        first: Whether the first element of an expected list will do, too.
    """
    return _CHECK.format(tests=json.dumps([inputs, outputs]), function=function, first=first)
