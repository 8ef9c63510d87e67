from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from flextune.data import mbpp
from flextune.data.mbpp import MbppRow
from flextune.data.training_text import normalize
from flextune.errors import FlextuneError
from flextune.files.rows import Row

WriteJsonl = Callable[[Path, list[dict[str, Any]]], Path]

ROW: dict[str, Any] = {
    "task_id": 601,
    "text": "Add one.",
    "code": "def f(x):\r\n\treturn x + 1",
    "test_list": ["assert f(1) == 2", "assert f(0) == 1"],
    "test_setup_code": "",
    "challenge_test_list": ["assert f(-1) == 0"],
}


@pytest.fixture(scope="module")
def rows(real_data: Path) -> list[MbppRow]:
    return [row for split in get_args(mbpp.Split) for row in mbpp.read(real_data, split)]


def test_splits_have_the_published_sizes(real_data: Path) -> None:
    sizes = {split: len(mbpp.read(real_data, split)) for split in get_args(mbpp.Split)}
    assert sizes == {"prompt": 10, "test": 500, "validation": 90, "train": 374}


def test_published_rows_keep_their_line_ends(rows: list[MbppRow]) -> None:
    assert sum("\r\n" in row.code for row in rows) == 972
    assert sum("\t" in row.code for row in rows) == 129
    assert sum("\r\n" in (problem.reference or "") for problem in mbpp.problems(rows)) == 972


def test_normalized_code_is_the_same_program_in_all_974_rows(rows: list[MbppRow]) -> None:
    for row in rows:
        text = normalize(row.code)
        assert "\r" not in text
        assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(row.code)), row.name
    # The one that keeps its tabs has them inside a string.
    assert [row.name for row in rows if "\t" in normalize(row.code)] == ["MBPP/669"]


def test_paper_examples_are_text_tests_and_code(rows: list[MbppRow]) -> None:
    examples = mbpp.examples(rows, "paper")
    assert len(examples) == 974
    for row, example in zip(rows, examples, strict=True):
        text, *middle = example.prompt.removesuffix("\n\n").split("\n")
        assert text == row.text
        assert middle[0] == ""
        assert all(line.startswith("# ") for line in middle[1:])
        assert [line[2:] for line in middle[1:]] == [normalize(test).strip() for test in row.tests]
        compile(example.completion, row.name, "exec")


def test_paper_example_to_the_letter() -> None:
    [example] = mbpp.examples(mbpp.parse([Row("here:1", ROW)]), "paper")
    assert example.prompt == "Add one.\n\n# assert f(1) == 2\n# assert f(0) == 1\n\n"
    assert example.completion == "def f(x):\n    return x + 1\n"
    assert example.name == "MBPP/601"


def without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def test_docstring_examples_are_the_reference_program_with_the_text_as_docstring(rows: list[MbppRow]) -> None:
    examples = mbpp.examples(rows, "docstring")
    assert len(examples) == 974
    for row, example in zip(rows, examples, strict=True):
        program = example.prompt + example.completion
        compile(program, row.name, "exec")
        assert without_docstrings(program) == without_docstrings(row.code), row.name
        described = [
            (ast.get_docstring(node) or "").strip()
            for node in ast.parse(program).body
            if isinstance(node, ast.FunctionDef) and node.name in row.tests[0]
        ]
        assert row.text.strip() in described, row.name
        assert example.prompt.endswith('"""\n')


def test_problem_is_the_harness_docstring_and_the_program_runs_the_tests() -> None:
    row = mbpp.parse([Row("here:1", {**ROW, "test_setup_code": "g = f"})])
    [problem] = mbpp.problems(row)
    assert problem.prompt == '"""\nAdd one.\nassert f(1) == 2\n"""\n'
    assert problem.tests == "g = f\nassert f(1) == 2\nassert f(0) == 1"
    assert problem.reference == ROW["code"]
    assert problem.language == "py"


def test_every_reference_program_compiles_with_its_tests(rows: list[MbppRow]) -> None:
    for problem in mbpp.problems(rows):
        compile(problem.program(problem.reference or ""), problem.name, "exec")


def test_a_missing_field_names_line_and_fields_found(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    short = {key: ROW[key] for key in ("text", "code", "task_id")}
    write_jsonl(tmp_path / "mbpp.jsonl", [ROW, short])
    with pytest.raises(FlextuneError) as caught:
        mbpp.read(tmp_path)
    assert str(caught.value) == 'mbpp.jsonl:2: missing field "test_list" (found: text, code, task_id)'


def test_a_task_that_comes_twice_is_an_error_with_both_lines(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    write_jsonl(tmp_path / "mbpp.jsonl", [ROW, {**ROW, "task_id": 602}, ROW])
    with pytest.raises(FlextuneError, match=r"mbpp.jsonl:3: 601 is there already \(mbpp.jsonl:1\)"):
        mbpp.read(tmp_path)


def test_a_split_without_rows_and_an_unknown_split_are_errors(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    write_jsonl(tmp_path / "mbpp.jsonl", [ROW])
    with pytest.raises(FlextuneError, match="no row of the validation split"):
        mbpp.read(tmp_path, "validation")
    with pytest.raises(FlextuneError, match="unknown split 'all'"):
        mbpp.read(tmp_path, "all")  # type: ignore[arg-type]


def test_a_task_without_tests_is_an_error() -> None:
    with pytest.raises(FlextuneError, match='here:1: field "test_list" is empty'):
        mbpp.parse([Row("here:1", {**ROW, "test_list": []})])
