"""Other people's Python is parsed in silence, whatever reads it."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import flextune
from flextune.data import humaneval, mbpp
from flextune.data.answers import read_answer, read_program
from flextune.data.python_source import parse_python
from flextune.data.training_text import normalize, pose_as_docstring
from flextune.files.rows import Row
from flextune.judging.checks.mutants import mutants
from flextune.records import Problem

#: Python warns of the escape, and of the number that runs into a word.
DUBIOUS = 'def f(x):\n\tp = "\\d\\."\n\treturn 1if x else 0\n'
PROBLEM = Problem("p", "b", "py", "", "assert f(1)", reference=DUBIOUS, entry_point="f")
ROW = Row("here:1", {"task_id": 601, "text": "Say.", "code": DUBIOUS, "test_list": ["assert f('\\d')"]})
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def f(x):\n",
    "entry_point": "f",
    "canonical_solution": '    return "\\d"\n',
}


def read_mbpp() -> None:
    for form in ("paper", "docstring"):
        mbpp.examples(mbpp.parse([ROW]), form)
    mbpp.problems(mbpp.parse([ROW]))


READERS: dict[str, Callable[[], object]] = {
    "mbpp": read_mbpp,
    "humaneval": lambda: humaneval.problem(Row("h:1", {**HUMANEVAL, "test": DUBIOUS})),
    "humaneval-plus": lambda: humaneval.problem(Row("h:1", {**HUMANEVAL, "base_input": [[1]]})),
    "normalize": lambda: normalize(DUBIOUS),
    "docstring": lambda: pose_as_docstring(DUBIOUS, description="Say.", tests="assert f('\\d')"),
    "answer": lambda: read_answer(PROBLEM, f"Here:\n{DUBIOUS}\nThat is it.").pair,
    "fenced answer": lambda: read_answer(PROBLEM, f"```python\n{DUBIOUS}\nprint(f('\\d'))\n```").pair,
    "program": lambda: read_program(PROBLEM, DUBIOUS + "\nprint(f('\\d'))\n").pair,
    "mutants": lambda: mutants(PROBLEM, 5, random.Random(0)),
}


@pytest.fixture
def warned() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def test_python_itself_warns_of_the_source(warned: list[warnings.WarningMessage]) -> None:
    compile(DUBIOUS, "dubious", "exec")
    assert warned


@pytest.mark.parametrize("reader", READERS)
def test_readers_of_foreign_code_are_silent(warned: list[warnings.WarningMessage], reader: str) -> None:
    READERS[reader]()
    assert warned == []


def test_mbpp_and_its_reader_are_silent_in_a_process_of_its_own(real_data: Path) -> None:
    code = (
        "from pathlib import Path; from flextune.data import mbpp; "
        f"mbpp.examples(mbpp.read(Path({str(real_data)!r})), 'docstring')"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_where_warnings_are_errors_a_dubious_source_is_a_program_still() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_python(DUBIOUS) is not None


@pytest.mark.parametrize("source", ["def f(:", "x = '\0'", "(" * 10_000, "-" * 100_000 + "1"])
def test_what_cannot_be_parsed_is_none(source: str) -> None:
    assert parse_python(source) is None


def test_filters_stay_as_they_were() -> None:
    before = list(warnings.filters)
    parse_python(DUBIOUS)
    assert warnings.filters == before


def test_foreign_code_is_parsed_in_one_place_only() -> None:
    """What runs inside the sandbox talks to the sandbox."""
    root = Path(flextune.__file__).parent
    parsing = re.compile(r"\bast\.parse\(|(?<![.\w])compile\([^)]*[\"']exec[\"']")
    places = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if parsing.search(path.read_text(encoding="utf-8"))
    }
    inside = {
        place for place in places if place.startswith(("judging/languages/runners/", "judging/sandbox/"))
    }
    # HumanEval+ compiles its reference in the program that is judged; PEFT is installed, not foreign.
    assert places - inside == {"data/python_source.py", "data/evalplus.py", "config/peft_options.py"}
