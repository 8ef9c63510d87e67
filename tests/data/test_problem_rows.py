from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.judged import verdicts_on

from flextune.data import humaneval, multipl_e
from flextune.data.problem_rows import read_problems
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Case, Problem
from flextune.runs.keys import content_digest

WriteJsonl = Callable[[Path, list[dict[str, Any]]], Path]
needs_sandbox = pytest.mark.usefixtures("sandboxed")

PLUS = {
    "task_id": "HumanEval/2",
    "prompt": "def half(xs):\n",
    "entry_point": "half",
    "canonical_solution": "    return [x / 2 for x in xs]\n",
    "base_input": [[[1, 2]]],
    "plus_input": [[[0.1, 1e300]], [[]]],
    "atol": 0,
    "contract": "",
}
HUB_TEST = """
import numpy as np

def is_floats(x) -> bool:
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)):
        return all(isinstance(i, float) for i in x)
    if isinstance(x, np.ndarray):
        return x.dtype == np.float64 or x.dtype == np.float32
    return False

def assertion(out, exp, atol):
    exact_match = out == exp
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if not exact_match and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert exact_match

def check(candidate):
    inputs = [[[1, 2]], [[0.2]]]
    results = [[0.5, 1.0], [0.1]]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""
ROWS: list[dict[str, Any]] = [
    {"name": "a", "language": "js", "prompt": "", "tests": "1;"},
    {"name": "b", "language": "go_test.go", "prompt": "", "tests": "", "stop_tokens": []},
    {
        "name": "c",
        "language": "rb",
        "prompt": "",
        "cases": [{"input": "1", "output": "2"}],
        "entry_point": "c",
    },
    PLUS,
    {"task_id": 601, "text": "Add.", "code": "def add(a): return a", "test_list": ["assert add(1) == 1"]},
    {
        "problem_id": 5,
        "question": "Add.",
        "input_output": '{"inputs": ["1"], "outputs": ["1"]}',
        "solutions": "",
    },
]


def outcomes(problem: Problem, *bodies: str) -> list[str]:
    return [verdict.outcome for verdict in verdicts_on((problem, body) for body in bodies)]


def test_formats_of_problems_are_told_by_their_fields(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    found = read_problems(write_jsonl(tmp_path / "rows.jsonl", ROWS), ("js", "go", "rb"))
    assert found.skipped == ()
    assert [(problem.name, problem.language, problem.benchmark) for problem in found.found] == [
        ("a", "js", "rows"),
        ("b", "go", "rows"),
        ("c", "rb", "rows"),
        ("HumanEval/2", "py", "rows"),
        ("MBPP/601", "py", "mbpp"),
        ("APPS/5", "py", "apps"),
    ]
    assert (found.found[2].cases, found.found[2].entry_point) == ((Case("1", "2"),), "c")


@pytest.mark.parametrize("cases", ["x", [1], [{"input": "a"}], [{"input": "a", "output": 1}]])
def test_bad_cases_are_named(cases: Any) -> None:
    fields = {"name": "a", "language": "py", "prompt": "", "cases": cases}
    with pytest.raises(FlextuneError, match=r"here:1: .*cases"):
        multipl_e.problem(Row("here:1", fields))


def test_a_row_needs_tests_or_cases() -> None:
    with pytest.raises(FlextuneError, match='here:1: missing field "tests"'):
        multipl_e.problem(Row("here:1", {"name": "a", "language": "py", "prompt": ""}))


def test_mbpp_in_other_languages_has_files_of_its_own(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    row = {"name": "mbpp_3_is_not_prime", "language": "java", "prompt": "", "tests": "", "stop_tokens": []}
    write_jsonl(tmp_path / "multipl-e" / "mbpp-java.jsonl", [row])
    [problem] = multipl_e.problems("java", tmp_path, "mbpp")
    assert (problem.name, problem.benchmark) == ("mbpp_3_is_not_prime", "multipl-e-mbpp")


@needs_sandbox
def test_humaneval_plus_takes_what_to_expect_from_the_reference() -> None:
    problem = humaneval.problem(Row("here:1", PLUS), "humaneval-plus")
    assert problem.reference is not None
    near = "    return [x * 0.5 + (1e-9 if x == 0.1 else 0) for x in xs]\n"
    mutating = "    for n, x in enumerate(xs):\n        xs[n] = x / 2\n    return xs\n"
    wrong = "    return [x // 2 for x in xs]\n"
    found = outcomes(problem, problem.reference, near, mutating, wrong, "    return None\n", "    return 1\n")
    assert found == ["passed", "passed", "passed", "wrong_answer", "wrong_answer", "wrong_answer"]


@needs_sandbox
def test_any_root_will_do_for_find_zero() -> None:
    row = {
        **PLUS,
        "prompt": "def find_zero(xs):\n",
        "entry_point": "find_zero",
        "canonical_solution": "    return 1.0\n",
        "base_input": [[[-1, 0, 1]]],
        "plus_input": [],
        "atol": 1e-4,
    }
    problem = humaneval.problem(Row("here:1", row))
    assert outcomes(problem, "    return -1.0\n", "    return 0.5\n") == ["passed", "wrong_answer"]


@needs_sandbox
def test_humaneval_plus_of_the_hub_runs_without_numpy() -> None:
    row = {key: PLUS[key] for key in ("task_id", "prompt", "entry_point", "canonical_solution")}
    problem = humaneval.problem(Row("here:1", {**row, "test": HUB_TEST}))
    assert "import numpy" not in problem.tests
    assert outcomes(
        problem, str(problem.reference), "    return [x / 2 + 1e-8 for x in xs]\n", "    return xs\n"
    ) == [
        "passed",
        "passed",
        "wrong_answer",
    ]


def test_a_test_that_needs_more_of_numpy_keeps_it() -> None:
    row = {
        **PLUS,
        "base_input": [],
        "plus_input": [],
        "test": "import numpy as np\ndef check(f):\n    assert np.linalg.norm(f(1)) == 0\n",
    }
    assert "import numpy as np" in humaneval.problem(Row("here:1", row)).tests


def test_humaneval_plus_needs_tests_of_some_kind() -> None:
    row = {key: value for key, value in PLUS.items() if key not in ("base_input", "plus_input")}
    with pytest.raises(FlextuneError, match='here:1: no "test" and no inputs'):
        humaneval.problem(Row("here:1", row))


def test_keys_of_old_problems_stay_and_cases_count() -> None:
    old = Problem("a", "b", "py", "p", "t", ("s",), None, "r", "o")
    # As it was computed before problems had an entry point and cases.
    assert content_digest([old]) == "9c90ddad99c593d7"
    assert content_digest([replace(old, entry_point="f")]) == content_digest([old])
    assert content_digest([replace(old, cases=(Case("1", "2"),))]) != content_digest([old])


def test_rows_survive_a_round_trip_through_json(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", ROWS[:3])
    listed = tmp_path / "rows.json"
    listed.write_text(json.dumps(ROWS[:3], indent=2))
    assert read_problems(path, ("js", "go", "rb")) == read_problems(listed, ("js", "go", "rb"))
