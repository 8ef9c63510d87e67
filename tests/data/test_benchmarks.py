from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flextune.data import humaneval, multipl_e
from flextune.errors import FlextuneError
from flextune.files.rows import Row

WriteJsonl = Callable[[Path, list[dict[str, Any]]], Path]

COUNTS = dict(
    zip(
        multipl_e.LANGUAGES,
        (161, 158, 156, 154, 158, 159, 161, 161, 161, 161, 161, 161, 161, 156, 160, 158, 158, 159),
        strict=True,
    )
)

ROW: dict[str, Any] = {
    "name": "HumanEval_0_f",
    "language": "java",
    "prompt": "class Problem {\n",
    "doctests": "transform",
    "original": "HumanEval_0_f.py",
    "prompt_terminology": "reworded",
    "tests": "    }\n}\n",
    "stop_tokens": ["\n    }\n"],
}

HUMANEVAL_ROW = {
    "task_id": "HumanEval/0",
    "prompt": "def f(x):\n",
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
}


def test_humaneval_has_164_programs_that_compile_with_check(real_data: Path) -> None:
    problems = humaneval.problems(real_data)
    assert len({problem.name for problem in problems}) == 164
    for problem in problems:
        compile(problem.program(problem.reference or ""), problem.name, "exec")
        assert problem.tests.splitlines()[-1].startswith("check(")


def test_no_stop_occurs_in_a_reference_answer(real_data: Path) -> None:
    for problem in humaneval.problems(real_data):
        assert not [stop for stop in problem.stop if stop in (problem.reference or "")], problem.name


def test_humaneval_program_is_prompt_completion_newline_test_and_check(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    write_jsonl(tmp_path / "HumanEval.jsonl", [HUMANEVAL_ROW])
    [problem] = humaneval.problems(tmp_path)
    assert problem.program("    return x\n") == (
        "def f(x):\n    return x\n\ndef check(candidate):\n    assert candidate(1) == 1\n\ncheck(f)"
    )


def test_the_packed_file_is_read_too(tmp_path: Path) -> None:
    content = json.dumps(HUMANEVAL_ROW).encode() + b"\n"
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(gzip.compress(content))
    assert [problem.name for problem in humaneval.problems(tmp_path)] == ["HumanEval/0"]


@pytest.mark.parametrize("language", multipl_e.LANGUAGES)
def test_every_language_has_its_published_number_of_problems(real_data: Path, language: str) -> None:
    problems = multipl_e.problems(language, real_data)
    assert len({problem.name for problem in problems}) == COUNTS[language]
    assert {problem.language for problem in problems} == {language}
    assert all(problem.stop and problem.tests and problem.prompt for problem in problems)


def test_the_row_is_taken_over_letter_by_letter(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    write_jsonl(tmp_path / "multipl-e" / "humaneval-java.jsonl", [ROW])
    [problem] = multipl_e.problems("java", tmp_path)
    assert (problem.prompt, problem.tests, problem.stop) == (ROW["prompt"], ROW["tests"], ("\n    }\n",))
    assert (problem.lexicon, problem.reference, problem.original) == (None, None, "HumanEval_0_f.py")


def test_lexicon_and_reference_of_a_row_are_kept() -> None:
    row = Row("here:1", {**ROW, "language": "py", "lexicon": "reserved", "reference": "pass"})
    problem = multipl_e.problem(row, benchmark="rosetta")
    assert (problem.benchmark, problem.lexicon, problem.reference) == ("rosetta", "reserved", "pass")


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("jav", "java"), ("javascrip", "javascript"), ("Rusty", "rust"), ("c+", "c++"), ("tss", "ts")],
)
def test_an_unknown_language_names_the_nearest_and_the_list(given: str, nearest: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        multipl_e.problems(given)
    assert f"did you mean {nearest!r}?" in str(caught.value)
    assert "known: cpp, cs, d, go, java" in str(caught.value)


def test_a_row_of_an_unknown_language_names_its_line() -> None:
    with pytest.raises(FlextuneError, match="here:7: unknown language 'klingon'"):
        multipl_e.problem(Row("here:7", {**ROW, "language": "klingon"}))


def test_a_row_of_another_language_in_a_file_is_an_error(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    write_jsonl(tmp_path / "humaneval-java.jsonl", [ROW, {**ROW, "name": "b", "language": "js"}])
    with pytest.raises(FlextuneError, match=r"humaneval-java\.jsonl:2: language is 'js' in a file of 'java'"):
        multipl_e.problems("java", tmp_path)


def test_a_name_that_comes_twice_is_an_error(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    write_jsonl(tmp_path / "humaneval-java.jsonl", [ROW, ROW])
    with pytest.raises(FlextuneError, match="'HumanEval_0_f' is there already"):
        multipl_e.problems("java", tmp_path)


@pytest.mark.parametrize("language", ["js", "JavaScript", "javascript"])
def test_a_language_may_be_spelled_out(tmp_path: Path, write_jsonl: WriteJsonl, language: str) -> None:
    write_jsonl(tmp_path / "humaneval-js.jsonl", [{**ROW, "language": language}])
    [problem] = multipl_e.problems(language, tmp_path)
    assert problem.language == "js"


def test_there_is_no_python_in_it() -> None:
    with pytest.raises(
        FlextuneError, match=r"^multipl-e has no Python; humaneval has its problems in Python"
    ):
        multipl_e.problems("py")
