from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.judged import verdicts_on

from flextune.data import apps
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Case

WriteJsonl = Callable[[Path, list[dict[str, Any]]], Path]
needs_sandbox = pytest.mark.usefixtures("sandboxed")


def row(number: int = 0, **changes: Any) -> dict[str, Any]:
    tests = {"inputs": ["1 2\n", ["3", "4"]], "outputs": ["3\n", ["7"]]}
    return {
        "problem_id": number,
        "question": 'Add two numbers.\nSay """no\\more""".',
        "solutions": json.dumps(["print(sum(map(int, sys.stdin.read().split())))"]),
        "input_output": json.dumps(tests),
        "difficulty": "interview",
        "url": "https://example.org",
        "starter_code": "",
        **changes,
    }


def calls(inputs: list[Any], outputs: list[Any], function: str = "solve") -> dict[str, Any]:
    return {"input_output": json.dumps({"inputs": inputs, "outputs": outputs, "fn_name": function})}


def outcomes(fields: dict[str, Any], *programs: str) -> list[str]:
    problem = apps.problem(apps.parse_row(Row("here:1", fields)))
    return [verdict.outcome for verdict in verdicts_on((problem, text) for text in programs)]


def test_input_and_output_become_cases() -> None:
    [problem] = apps.problems([apps.parse_row(Row("here:1", row()))])
    assert problem.cases == (Case("1 2\n", "3\n"), Case("3\n4", "7"))
    assert (problem.name, problem.language, problem.tests, problem.entry_point) == ("APPS/0", "py", "", None)
    compile(problem.program(problem.reference or ""), "it", "exec")


def test_the_prompt_is_the_authors_within_a_docstring() -> None:
    parsed = apps.parse_row(Row("here:1", row(starter_code="class Solution:\n", **calls([[1]], [1]))))
    assert apps.plain_prompt(parsed) == (
        '\nQUESTION:\nAdd two numbers.\nSay """no\\more""".\nclass Solution:\n'
        "\nUse Call-Based format\nANSWER:\n"
    )
    namespace: dict[str, Any] = {}
    exec(apps.problem(parsed).prompt, namespace)
    assert namespace["gcd"](4, 6) == 2
    assert apps.plain_prompt(parsed).replace('"""', "'''") in apps.problem(parsed).prompt


@needs_sandbox
def test_programs_that_read_and_print_are_judged() -> None:
    reference = "print(sum(map(int, sys.stdin.read().split())))"
    assert outcomes(row(), reference, "print(3)", "") == ["passed", "wrong_answer", "wrong_answer"]


@needs_sandbox
@pytest.mark.parametrize(
    ("inputs", "outputs", "program"),
    [
        ([[1, 2]], [3], "def solve(a, b): return a + b"),
        ([[1, 2]], [3], "class Solution:\n    def solve(self, a: List[int], b): return a + b"),
        ([[1]], [[3]], "def solve(a): return 3"),
        ([[1]], [[1, 2]], "def solve(a): return (1, 2)"),
        ([[1]], [[[1, 2]]], "def solve(a): return (1, 2)"),
        ([[1]], [[[[1, 2]]]], "def solve(a): return [(1, 2)]"),
        ([[{"1": 2}]], [2], "def solve(a): return a[1]"),
        ([[1]], [{"1": 2}], "def solve(a): return {1: 2}"),
        ([[1]], [[{"1": 2}]], "def solve(a): return {1: 2}"),
    ],
)
def test_calls_are_as_lenient_as_the_authors(inputs: list[Any], outputs: list[Any], program: str) -> None:
    fields = row(**calls(inputs, outputs))
    assert outcomes(fields, program, "def solve(*given): return 'no'") == ["passed", "wrong_answer"]


def test_files_are_filtered_by_split_difficulty_and_tests(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    write_jsonl(
        tmp_path / "apps" / "test.jsonl",
        [row(0), row(1, difficulty="competition"), row(2, split="train"), row(3, input_output="")],
    )
    assert [found.number for found in apps.read(tmp_path)] == [0, 1]
    assert [found.number for found in apps.read(tmp_path, difficulties=["competition"])] == [1]
    with pytest.raises(FlextuneError, match=r"apps: unknown 'hard' \(known: introductory, interview, comp"):
        apps.read(tmp_path, difficulties=["hard"])  # type: ignore[list-item]
    write_jsonl(tmp_path / "apps-train.jsonl", [row(4)])
    assert [found.number for found in apps.read(tmp_path, "train")] == [4]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"input_output": "{"}, 'here:1: field "input_output" cannot be read as JSON'),
        ({"input_output": f'{{"inputs": [{"9" * 5000}]}}'}, 'here:1: field "input_output" cannot be read'),
        ({"input_output": "[1]"}, 'here:1: field "input_output" must hold JSON (found: a list)'),
        ({"input_output": '{"inputs": [1], "outputs": []}'}, "here:1: 1 inputs but 0 outputs"),
        ({"input_output": '{"inputs": 1, "outputs": []}'}, 'here:1: "inputs" in input_output must be a list'),
        ({"question": None}, 'here:1: field "question" must be text (found: null)'),
        (calls([[1]], [1], "os.system"), "APPS/0: 'os.system' is no name of a function"),
    ],
)
def test_a_bad_row_is_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        apps.problem(apps.parse_row(Row("here:1", row(**changes))))
    assert str(caught.value).startswith(complaint)
