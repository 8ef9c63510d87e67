"""APPS and CodeSearchNet as training data, on rows of exactly their shape."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.judged import verdicts_on

from flextune.data import apps, apps_examples, code_search_net
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Example
from flextune.rosetta.contest_rows import contest_rows
from flextune.rosetta.documented_rows import documented_rows

APPS_FIELDS = {
    "problem_id", "question", "solutions", "input_output", "difficulty", "url", "starter_code",
}  # fmt: skip
CODE_SEARCH_NET_FIELDS = {
    "repo", "path", "func_name", "original_string", "language", "code", "code_tokens", "docstring",
    "docstring_tokens", "sha", "url", "partition",
}  # fmt: skip


def apps_row(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "problem_id": number,
        "question": "Add two numbers.",
        "solutions": json.dumps(["print(1)\r\n", "print(1)\n", "print(2)\n", ""]),
        "input_output": json.dumps({"inputs": ["1 2\n"], "outputs": ["3\n"]}),
        "difficulty": "interview",
        "url": "",
        "starter_code": "",
        **changes,
    }


def called(function: str) -> dict[str, Any]:
    return {"input_output": json.dumps({"fn_name": function, "inputs": [[1]], "outputs": [1]})}


def apps_made(*rows: dict[str, Any], **options: Any) -> list[Example]:
    placed = (Row(f"apps:{number}", row) for number, row in enumerate(rows, start=1))
    return list(apps_examples.examples(placed, **options))


def test_solutions_are_examples_and_equal_ones_count_once() -> None:
    assert [e.name for e in apps_made(apps_row(7))] == ["APPS/7/0"]
    found = apps_made(apps_row(7), solutions=9)
    assert [(e.name, e.completion) for e in found] == [
        ("APPS/7/0", "print(1)\n"),
        ("APPS/7/1", "print(2)\n"),
    ]
    assert found[0].prompt == "\nQUESTION:\nAdd two numbers.\nUse Standard Input format\nANSWER:\n"


def test_problems_are_chosen_by_class_and_form() -> None:
    rows = [
        apps_row(0),
        apps_row(1, difficulty="competition"),
        apps_row(2, difficulty="competition", **called("add")),
        apps_row(3, difficulty="competition", solutions=""),
    ]
    names = [e.name for e in apps_made(*rows, difficulties=["competition"])]
    assert names == ["APPS/1/0", "APPS/2/0"]
    assert [e.name for e in apps_made(*rows, form="call")] == ["APPS/2/0"]
    assert [e.name for e in apps_made(*rows, form="stdin")] == ["APPS/0/0", "APPS/1/0"]


def test_tests_that_cannot_be_read_cost_nothing() -> None:
    huge = '{"fn_name": "f", "inputs": [[' + "9" * 5000 + ']], "outputs": [1]}'
    (example,) = apps_made(apps_row(input_output=huge, starter_code="def f(x):\n"))
    assert "def f(x):\n\nUse Call-Based format" in example.prompt


def test_in_the_docstring_form_the_prompt_is_that_of_the_benchmark() -> None:
    row = apps_row(question='Say """no\\more""".')
    (example,) = apps_made(row, docstring=True)
    assert example.prompt == apps.problem(apps.parse_row(Row("x:1", row))).prompt
    compile(example.prompt + example.completion, "it", "exec")


def function_row(language: str, code: str, docstring: str = "Add one.", **changes: Any) -> dict[str, Any]:
    empty = dict.fromkeys(CODE_SEARCH_NET_FIELDS, "")
    known = {"repo": "o/r", "path": "a/b", "func_name": "f", "language": language, "partition": "train"}
    return {**empty, **known, "code": code, "docstring": docstring, **changes}


PYTHON = '''def f(self, x):
        """Add one.

        To x.
        """
        y = x + 1
        return y'''

POSED = [
    ("py", PYTHON, "Add one.\n\n        To x.",
     'def f(self, x):\n        """Add one.\n\n        To x.\n        """\n',
     "        y = x + 1\n        return y\n"),
    ("java", "@A({1})\npublic static int f(int x) {\n    return x + 1;\n}", "Add one.\n\nTo x.",
     "// Add one.\n//\n// To x.\n@A({1})\npublic static int f(int x) {\n", "    return x + 1;\n}\n"),
    ("js", "function f (x = {a: 1}) {\n  return x\n}", "Add.",
     "// Add.\nfunction f (x = {a: 1}) {\n", "  return x\n}\n"),
    ("go", "func f(x int) interface{} {\n\treturn x\n}", "Id.",
     "// Id.\nfunc f(x int) interface{} {\n", "    return x\n}\n"),
    ("rb", "def f(x)\n  x + 1\nend", "Add.", "# Add.\ndef f(x)\n", "  x + 1\nend\n"),
    ("php", "public function f($x)\n{\n    return 1;\n}", "One.",
     "// One.\npublic function f($x)\n{\n", "    return 1;\n}\n"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "code", "docstring", "prompt", "completion"), POSED, ids=[p[0] for p in POSED]
)
def test_functions_are_posed_as_the_benchmarks_pose_them(
    language: str, code: str, docstring: str, prompt: str, completion: str
) -> None:
    rows = [Row("c:1", function_row(code_search_net.LANGUAGES[language], code, docstring))]
    (example,) = code_search_net.examples(rows, language, docstring=True)
    assert (example.prompt, example.completion) == (prompt, completion)
    assert example.name == "o/r/a/b:f"


def test_a_python_function_is_learned_without_its_docstring() -> None:
    rows = [Row("c:1", function_row("python", PYTHON, "Add one.\n\n        To x."))]
    (example,) = code_search_net.examples(rows, "py")
    assert example.prompt == "Add one.\n\nTo x.\n\n"
    assert example.completion == "def f(self, x):\n        y = x + 1\n        return y\n"


@pytest.mark.parametrize("docstring", [False, True])
def test_functions_that_cannot_be_posed_are_left_out(docstring: bool) -> None:
    rows = [
        function_row("python", "def f(x): return x", ""),
        function_row("python", "", "Nothing."),
        function_row("python", 'def f(x):\n    print "two"', "Of Python 2."),
    ]
    found = list(code_search_net.examples((Row("c:1", row) for row in rows), "py", docstring=docstring))
    assert len(found) == (0 if docstring else 1)


def test_the_hubs_names_of_fields_are_read_too() -> None:
    row = {
        "repository_name": "o/r",
        "func_path_in_repository": "p",
        "func_name": "f",
        "func_code_string": "def f():\n    return 1",
        "func_documentation_string": "One.",
        "language": "python",
        "split_name": "train",
    }
    (example,) = code_search_net.examples([Row("c:1", row)], "py")
    assert (example.name, example.prompt) == ("o/r/p:f", "One.\n\n")
    with pytest.raises(FlextuneError, match=r'c:1: missing field "docstring" \(found: code\)'):
        list(code_search_net.examples([Row("c:1", {"code": "x"})], "py"))


def test_shards_are_read_as_they_were_published(tmp_path: Path) -> None:
    folder = tmp_path / "codesearchnet/python/final/jsonl/train"
    folder.mkdir(parents=True)
    for shard in range(2):
        rows = [
            function_row("python", f"def f():\n    return {shard}"),
            function_row("python", "x", partition="test"),
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"python_train_{shard}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    published = list(code_search_net.published_rows("py", tmp_path))
    assert [row.fields["code"][-1] for row in published] == ["0", "1"]
    with pytest.raises(FlextuneError, match="codesearchnet/java"):
        code_search_net.published_rows("java", tmp_path)


def test_rosettas_rows_have_the_published_fields() -> None:
    assert set(next(contest_rows(limit=1))) == APPS_FIELDS
    for language in ("py", "java", "js"):
        row = next(documented_rows(language, limit=1))
        assert set(row) == CODE_SEARCH_NET_FIELDS
        assert row["language"] == code_search_net.LANGUAGES[language]
        assert row["code"].count("{") == row["code"].count("}")


@pytest.mark.usefixtures("sandboxed")
def test_every_solution_of_rosettas_contest_rows_passes_its_tests() -> None:
    problems = [apps.parse_row(Row(f"r:{i}", row)) for i, row in enumerate(contest_rows(limit=12))]
    assert {bool(row.function) for row in problems} == {True, False}
    assert {row.difficulty for row in problems} == {"introductory", "competition"}
    answers = [(apps.problem(row), text) for row in problems for text in row.solutions]
    assert len(answers) > len(problems)
    assert {verdict.outcome for verdict in verdicts_on(answers)} == {"passed"}


def test_rosettas_functions_are_its_programs() -> None:
    for row in documented_rows("py", limit=20):
        namespace: dict[str, Any] = {}
        exec(row["code"], namespace)
        assert namespace["solve"].__doc__.strip() == row["docstring"]
