"""Rows of other people's benchmarks: read as their authors judge them, or refused by name."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.judged import needs_toolchain, verdicts_on

from flextune.data.evalplus import _kinds
from flextune.data.problem_rows import read_problems
from flextune.errors import FlextuneError
from flextune.judging import languages
from flextune.records import Case, Problem

WriteJsonl = Callable[[Path, list[dict[str, Any]]], Path]
needs_sandbox = pytest.mark.usefixtures("sandboxed")

PLUS: dict[str, Any] = {
    "task_id": "Mbpp/2",
    "prompt": '"""\nFind the shared elements.\nassert set(shared((3, 4), (4, 5))) == set((4,))\n"""\n',
    "canonical_solution": "def shared(a, b):\n    return tuple(set(a) & set(b))\n",
    "entry_point": "shared",
    "base_input": [[[3, 4], [4, 5]]],
    "plus_input": [[[], [1]], [[7, 8, 9], [9, 8]]],
    "contract": "",
    "atol": 0,
}
SANITIZED: dict[str, Any] = {
    "source_file": "Benchmark Questions Verification V2.ipynb",
    "task_id": 14,
    "prompt": "Write a function to find the volume.",
    "code": "def volume(r):\n    return math.pi * r",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(volume(1), math.pi)"],
}
MBPP_PLUS = {
    **SANITIZED,
    "test": "import numpy as np\nfor x, y in [(1, 3.141592653589793), (0, 0.0)]:\n"
    "    assert np.allclose(volume(x), y, rtol=1e-7, atol=1e-6)\n",
}
JAVA: dict[str, Any] = {
    "task_id": "Java/0",
    "prompt": "import java.util.*;\n\nclass Solution {\n    public int twice(int x) {\n",
    "canonical_solution": "        return 2 * x;\n    }\n}",
    "declaration": "",
    "test": "public class Main {\n    public static void main(String[] args) {\n"
    "        if (new Solution().twice(2) != 4) { throw new AssertionError(); }\n    }\n}\n",
    "example_test": "",
    # Of HumanEvalPack alone.
    "entry_point": "twice",
}
CPP = {
    **JAVA,
    "task_id": "CPP/0",
    "prompt": "#include<vector>\nusing namespace std;\nint twice(int x){\n",
    "canonical_solution": "    return 2 * x;\n}\n",
    "test": "#undef NDEBUG\n#include<assert.h>\nint main(){\n    assert (twice(2) == 4);\n}\n",
}
JAVASCRIPT = {
    **JAVA,
    "task_id": "JavaScript/0",
    "prompt": "const twice = (x) => {\n",
    "canonical_solution": "  return 2 * x;\n}\n\n",
    "test": "const testTwice = () => {\n  console.assert(twice(2) === 4)\n}\n\ntestTwice()\n",
}
PYTHON = {
    "task_id": "Python/0",
    "prompt": "def twice(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "METADATA = {}\n\ndef check(twice):\n    assert twice(2) == 4\n\ncheck(twice)\n",
}
STDIN: dict[str, Any] = {
    "question_title": "A",
    "question_content": 'Double the "numbers".',
    "platform": "atcoder",
    "question_id": "abc301_a",
    "contest_id": "abc301",
    "contest_date": "2023-05-13T00:00:00",
    "starter_code": "",
    "difficulty": "easy",
    "public_test_cases": json.dumps([{"input": "2\n", "output": "4\n", "testtype": "stdin"}]),
    "private_test_cases": "[]",
    "metadata": "{}",
}
CALLS = [{"input": "[1, 2]\n2", "output": "[0.5, 1.0]", "testtype": "functional"}]
FUNCTIONAL = {
    **STDIN,
    "question_id": "2756",
    "platform": "leetcode",
    "starter_code": "class Solution:\n    def share(self, xs: List[int], n: int) -> List[float]:\n        ",
    "public_test_cases": json.dumps(CALLS),
    "metadata": json.dumps({"func_name": "share"}),
}
UNITTEST: dict[str, Any] = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": 'import itertools\n\ndef task_func(x):\n    """Twice x."""\n',
    "instruct_prompt": "Twice x.",
    "code_prompt": "import itertools\ndef task_func(x):\n",
    "canonical_solution": "    return 2 * x\n",
    "test": "import unittest\n\nclass TestCases(unittest.TestCase):\n"
    "    def setUp(self):\n        self.two = 2\n\n"
    "    def test_case_1(self):\n        self.assertEqual(task_func(self.two), 4)\n\n"
    "    def test_case_2(self):\n        self.assertEqual(task_func(3), 6)\n",
    "entry_point": "task_func",
    "libs": "['itertools']",
}
CONTEST: dict[str, Any] = {
    "name": "1_A. Twice",
    "description": "Print twice the number.",
    "public_tests": {"input": ["2\n"], "output": ["4\n"]},
    "private_tests": {"input": ["3\n"], "output": ["6\n"]},
    "generated_tests": {"input": [], "output": []},
    "solutions": {"language": [2, 3], "solution": ["int main() {}", "print(2 * int(input()))"]},
    "time_limit": {"seconds": 1, "nanos": 0},
}
ROWS = (
    PLUS, SANITIZED, MBPP_PLUS, JAVA, CPP, JAVASCRIPT, PYTHON, STDIN, FUNCTIONAL, UNITTEST, CONTEST
)  # fmt: skip


@pytest.fixture
def read(tmp_path: Path, write_jsonl: WriteJsonl) -> Callable[[dict[str, Any]], Problem]:
    """The one problem of a row; raises what says why there is none."""

    def read_row(row: dict[str, Any]) -> Problem:
        return read_problems(write_jsonl(tmp_path / "rows.jsonl", [row]), languages()).found[0]

    return read_row


ReadRow = Callable[[dict[str, Any]], Problem]


def outcomes(problem: Problem, *texts: str) -> list[str]:
    return [verdict.outcome for verdict in verdicts_on((problem, text) for text in texts)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.get('task_id') or row.get('question_id')}")
def test_every_format_names_its_benchmark_and_language(read: ReadRow, row: dict[str, Any]) -> None:
    expected = {
        "Mbpp/2": ("rows", "py"),
        14: ("mbpp-plus" if "test" in row else "mbpp", "py"),
        "Java/0": ("humaneval-x", "java"),
        "CPP/0": ("humaneval-x", "cpp"),
        "JavaScript/0": ("humaneval-x", "js"),
        "Python/0": ("humaneval-x", "py"),
        "abc301_a": ("livecodebench", "py"),
        "2756": ("livecodebench", "py"),
        "BigCodeBench/0": ("bigcodebench", "py"),
        "1_A. Twice": ("code-contests", "py"),
    }
    problem = read(row)
    name = row.get("task_id") or row.get("question_id") or row["name"]
    assert (problem.benchmark, problem.language) == expected[name]


@pytest.mark.parametrize("given", [14, "14", "MBPP/14", "Mbpp/14"])
def test_a_task_of_mbpp_may_be_named_by_number_or_text(read: ReadRow, given: Any) -> None:
    problem = read({**SANITIZED, "task_id": given})
    assert (problem.name, problem.entry_point) == ("MBPP/14", "volume")


@needs_sandbox
def test_inputs_of_evalplus_are_tuples_where_the_row_shows_tuples(read: ReadRow) -> None:
    problem = read(PLUS)
    hashing = "def shared(a, b):\n    return {a: 1} and sorted(set(a) & set(b))\n"
    wrong = "def shared(a, b):\n    return a[:0]\n"
    assert outcomes(problem, str(problem.reference), hashing, wrong) == ["passed", "passed", "wrong_answer"]


@pytest.mark.parametrize(
    ("shown", "kinds"),
    [
        ("assert f([5, 6], (9, 10)) == 1", [("list", "number"), ("tuple", "number")]),
        ("assert f([{1, 2}, {}]) == 1\nassert f([{}])", [("list", ("set", None))]),
        ("assert isclose(f(0, 1j), 1.5, rel_tol=0.1)", ["number", "number"]),
        ("assert f({'a': (6.2, 70)}, 6.0) == {}", [("dict", ("tuple", "number")), "number"]),
        ("assert f((4, 5, (7, (2, 4)), 6)) == ()", [("tree", None)]),
        ("assert f([(3, 5), (1, 7)]) == 7\nassert f([]) == 0", [("list", ("tuple", "number"))]),
        ('def f(a, b):\n    """f((1, 2), (2, 3)) ==> 1"""', [("tuple", "number"), ("tuple", "number")]),
        ("assert f((1,))\nassert f([1])", [None]),
        ("assert f('a)b(', (1,))", [None, ("tuple", "number")]),
        ("assert f(x, (1,))", []),
    ],
)
def test_the_calls_that_a_row_shows_say_what_its_inputs_are(shown: str, kinds: list[Any]) -> None:
    assert _kinds(shown, "f") == kinds


@needs_sandbox
def test_what_evalplus_wrote_as_text_is_a_number_again(read: ReadRow) -> None:
    row = {
        **PLUS,
        "prompt": '"""\nassert isclose(f(0, 1j), 1)\n"""\n',
        "canonical_solution": "def f(a, b):\n    return abs(a + b)\n",
        "entry_point": "f",
        "base_input": [["0.0", "1j"]],
        "plus_input": [["1.0", "(2+1j)"]],
    }
    assert outcomes(read(row), str(row["canonical_solution"]), "f = max") == ["passed", "exception"]


@needs_sandbox
def test_a_test_of_humaneval_does_not_stand_for_the_inputs_of_humaneval_plus(read: ReadRow) -> None:
    row = {
        "task_id": "HumanEval/0",
        "prompt": "def twice(x):\n",
        "canonical_solution": "    return 2 * x\n",
        "entry_point": "twice",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
        "base_input": [[2]],
        "plus_input": [[5]],
        "atol": 0,
    }
    assert outcomes(read(row), "    return 2 * x\n", "    return x + 2\n") == ["passed", "wrong_answer"]


@needs_sandbox
@pytest.mark.parametrize("row", [SANITIZED, MBPP_PLUS], ids=["sanitized", "plus"])
def test_mbpp_has_the_imports_of_its_tests(read: ReadRow, row: dict[str, Any]) -> None:
    right = "def volume(r):\n    import math\n    return math.pi * r"
    assert outcomes(read(row), right, "def volume(r):\n    return 3 * r") == ["passed", "wrong_answer"]


@needs_sandbox
@pytest.mark.toolchain
@pytest.mark.parametrize("row", [JAVA, CPP, JAVASCRIPT, PYTHON], ids=lambda row: str(row["task_id"]))
def test_translations_by_hand_are_judged_in_their_language(read: ReadRow, row: dict[str, Any]) -> None:
    problem = read(row)
    needs_toolchain(problem.language)
    wrong = str(problem.reference).replace("2 * x", "3 * x")
    assert outcomes(problem, str(problem.reference), wrong) == ["passed", "wrong_answer"]


def packed(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


@pytest.mark.parametrize("pack", [json.dumps, lambda tests: packed(json.dumps(tests)), list])
def test_private_tests_are_read_in_each_of_their_forms(read: ReadRow, pack: Any) -> None:
    private = pack([{"input": "ü" * 300, "output": "6\n", "testtype": "stdin"}])
    problem = read({**STDIN, "private_test_cases": private})
    assert problem.cases == (Case("2\n", "4\n"), Case("ü" * 300, "6\n"))


class _Runs:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('the pickle ran')",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"private_test_cases": packed(_Runs())}, "a pickle can run code"),
        ({"private_test_cases": packed(["a", "b"])}, "a pickle of something else"),
        ({"private_test_cases": packed("{")}, "cannot be read as JSON"),
        ({"private_test_cases": "!"}, "neither JSON nor the packed form"),
        ({"private_test_cases": base64.b64encode(b"x").decode()}, "neither JSON nor the packed form"),
        ({"public_test_cases": "[]"}, "no test cases"),
        ({"private_test_cases": CALLS}, "must be stdin or functional in all"),
        ({"public_test_cases": [{"input": 1}]}, "public_test_cases.0. must have"),
        ({"public_test_cases": CALLS}, "need the function's name"),
    ],
)
def test_tests_that_are_not_what_they_should_be_are_named(
    read: ReadRow, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FlextuneError, match=f"rows.jsonl:1: .*{message}"):
        read({**STDIN, **changes})


@needs_sandbox
def test_programs_and_methods_of_livecodebench_are_judged(read: ReadRow) -> None:
    assert outcomes(read(STDIN), "print(2 * int(input()))", "print(4)") == ["passed", "passed"]
    right = "class Solution:\n    def share(self, xs: List[int], n):\n        return tuple(x / n for x in xs)"
    near, wrong = right.replace("x / n", "x / n + 1e-9"), right.replace("x / n", "x // n")
    listed = right.replace("tuple(x / n for x in xs)", "[[x / n for x in xs]]")
    found = outcomes(read(FUNCTIONAL), right, near, wrong, listed)
    assert found == ["passed", "passed", "wrong_answer", "wrong_answer"]


@needs_sandbox
def test_unittest_rows_tell_a_failure_from_an_error_and_from_a_missing_library(read: ReadRow) -> None:
    problem = read(UNITTEST)
    texts = (
        str(problem.reference),
        "    return 4\n",
        "    return x.y\n",
        "    import pandas\n    return 4\n",
    )
    assert outcomes(problem, *texts) == ["passed", "wrong_answer", "exception", "library_missing"]
    empty = read({**UNITTEST, "test": "import unittest\nclass TestCases(unittest.TestCase): pass\n"})
    assert outcomes(empty, str(problem.reference)) == ["wrong_answer"]


@needs_sandbox
def test_contests_are_judged_by_all_their_tests(read: ReadRow) -> None:
    problem = read(CONTEST)
    assert problem.cases == (Case("2\n", "4\n"), Case("3\n", "6\n"))
    assert outcomes(problem, str(problem.reference), "print(4)") == ["passed", "wrong_answer"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**JAVA, "task_id": "Go/0"}, "Go rows of HumanEval-X and HumanEvalPack are not read: .*testify"),
        ({**JAVA, "task_id": "Rust/0"}, "Rust rows of HumanEval-X .*cargo test"),
        ({**JAVA, "task_id": "HumanEval/0", "language": "java"}, "in Python alone, not in 'java'"),
        (
            {"prompt": "", "reference_code": "", "code_context": "", "metadata": {}},
            "DS-1000 rows are not read",
        ),
        ({"instance_id": "a-1", "repo": "a", "patch": ""}, "SWE-bench rows are not read"),
        ({"code": "", "input": "", "output": "", "id": "sample_0"}, "CRUXEval rows are not read"),
        ({"name": "a", "completion": ""}, "this is a sample, not a problem; give its file as --samples"),
        ({**CONTEST, "private_tests": {"input": ["1"]}}, '"private_tests" must have'),
        ({**CONTEST, "public_tests": {}, "private_tests": {}}, "no tests in public_tests"),
    ],
)
def test_what_is_not_read_is_refused_by_name(read: ReadRow, row: dict[str, Any], message: str) -> None:
    with pytest.raises(FlextuneError, match=f"rows.jsonl:1: .*{message}"):
        read(row)
