"""Folders and files of other tools that hold one model's samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flextune.data.samples import read_samples
from flextune.errors import FlextuneError
from flextune.judging.scoring import score_file
from flextune.records import Problem

PROBLEMS = [
    Problem(f"HumanEval/{n}", "humaneval", "py", "def f(x):\n", "assert f(1)", entry_point="f")
    for n in (0, 1)
]
PROGRAM = "def f(x):\n    return {}\n"


def texts(path: Path) -> list[tuple[str, int, str]]:
    pairs, skipped = read_samples(path, PROBLEMS)
    assert skipped == []
    return [(c.name, c.sample, p.prompt + c.text) for p, c in pairs]


def evalplus_folder(folder: Path, count: int = 1) -> Path:
    for task in (0, 1):
        (folder / f"HumanEval_{task}").mkdir(parents=True)
        for sample in range(count):
            (folder / f"HumanEval_{task}" / f"{sample}.py").write_text(PROGRAM.format(10 * task + sample))
    return folder


def results(**statuses: Any) -> dict[str, Any]:
    def task(name: str) -> list[dict[str, Any]]:
        return [{"task_id": name, "solution": PROGRAM.format(n), **statuses} for n in range(2)]

    return {
        "date": "2024-01-01",
        "hash": "x",
        "eval": {name: task(name) for name in ("HumanEval/0", "HumanEval/1")},
    }


def test_programs_of_evalplus_are_numbered_as_their_files(tmp_path: Path) -> None:
    found = texts(evalplus_folder(tmp_path / "model", 11))
    assert [(name, sample) for name, sample, _ in found] == [
        (f"HumanEval/{task}", sample) for task in (0, 1) for sample in range(11)
    ]
    assert [text for _, _, text in found[8:12]] == [PROGRAM.format(n) for n in (8, 9, 10, 10)]


def test_results_beside_their_programs_are_left_out(tmp_path: Path) -> None:
    folder = evalplus_folder(tmp_path / "model")
    (folder / "eval_results.json").write_text(json.dumps(results()))
    assert len(texts(folder)) == 2
    lines = tmp_path / "lines"
    lines.mkdir()
    (lines / "m.jsonl").write_text(
        json.dumps({"task_id": "HumanEval/0", "solution": PROGRAM.format(1)}) + "\n"
    )
    (lines / "m_eval_results.json").write_text(json.dumps(results()))
    assert len(texts(lines)) == 1


def test_results_of_evalplus_alone_are_judged_again(tmp_path: Path) -> None:
    (tmp_path / "eval_results.json").write_text(json.dumps(results(base_status="pass")))
    assert [sample for _, sample, _ in texts(tmp_path / "eval_results.json")] == [0, 1, 0, 1]


def test_samples_of_livecodebench_are_programs_or_answers(tmp_path: Path) -> None:
    rows = [
        {"question_id": "HumanEval/0", "code_list": [PROGRAM.format(1), PROGRAM.format(2)]},
        {"question_id": "HumanEval/1", "output_list": [f"Here:\n```python\n{PROGRAM.format(3)}```\n"]},
    ]
    (tmp_path / "samples.json").write_text(json.dumps(rows))
    found = texts(tmp_path / "samples.json")
    assert [(name, sample, text.strip()) for name, sample, text in found] == [
        ("HumanEval/0", 0, PROGRAM.format(1).strip()),
        ("HumanEval/0", 1, PROGRAM.format(2).strip()),
        ("HumanEval/1", 0, PROGRAM.format(3).strip()),
    ]


@pytest.mark.parametrize("known", ["MBPP/2", "Mbpp/2"])
@pytest.mark.parametrize("asked", ["MBPP/2", "Mbpp/2", 2])
def test_mbpp_has_one_task_by_three_names(tmp_path: Path, known: str, asked: str | int) -> None:
    (tmp_path / "s.jsonl").write_text(json.dumps({"task_id": asked, "completion": "x"}) + "\n")
    pairs, _ = read_samples(tmp_path / "s.jsonl", [Problem(known, "mbpp", "py", "", "")])
    assert [problem.name for problem, _ in pairs] == [known]


def multipl_e_row(text: str) -> str:
    row = {"name": "HumanEval_0_f", "language": "js", "prompt": "function f() {\n", "tests": "f();"}
    return json.dumps({**row, "completions": [text]})


@pytest.mark.parametrize("kind", ["programs", "experiments", "lines"])
def test_two_models_below_one_folder_are_not_taken_for_one(tmp_path: Path, kind: str) -> None:
    for model in ("a", "b"):
        if kind == "programs":
            evalplus_folder(tmp_path / "all" / model)
            continue
        (tmp_path / "all" / model).mkdir(parents=True)
        if kind == "experiments":
            (tmp_path / "all" / model / "HumanEval_0_f.json").write_text(multipl_e_row(model))
        else:
            row = {"task_id": "HumanEval/0", "solution": PROGRAM.format(1)}
            (tmp_path / "all" / f"{model}.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(FlextuneError, match=r"all: samples of .* are in a\S* and in b\S*; judge each alone"):
        read_samples(tmp_path / "all", None if kind == "experiments" else PROBLEMS)


def test_an_experiment_may_have_a_folder_for_each_language(tmp_path: Path) -> None:
    for language in ("js", "java"):
        (tmp_path / language).mkdir()
        row = multipl_e_row("x").replace('"js"', f'"{language}"')
        (tmp_path / language / "HumanEval_0_f.json").write_text(row)
    pairs, _ = read_samples(tmp_path, None)
    assert sorted(problem.language for problem, _ in pairs) == ["java", "js"]


@pytest.mark.parametrize(
    ("statuses", "passed"),
    [
        ({"base_status": "pass", "plus_status": "fail"}, 0),
        ({"base_status": "pass", "plus_status": None}, 4),
        ({"base_status": "pass", "plus_status": "pass"}, 4),
        ({"status": "timeout"}, 0),
    ],
)
def test_what_evalplus_found_can_be_scored(tmp_path: Path, statuses: dict[str, Any], passed: int) -> None:
    (tmp_path / "eval_results.json").write_text(json.dumps(results(**statuses)))
    [score] = score_file(tmp_path / "eval_results.json")
    assert (score.problems, score.samples, score.passed) == (2, 4, passed)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "neither verdicts"),
        ({"eval": {"HumanEval/0": {"nfiles": 1, "base": [["pass", []]]}}}, "older EvalPlus"),
        ({"eval": {"HumanEval/0": [{"solution": ""}]}}, "has no status"),
    ],
)
def test_other_results_are_refused_by_name(tmp_path: Path, value: Any, message: str) -> None:
    (tmp_path / "eval_results.json").write_text(json.dumps(value))
    with pytest.raises(FlextuneError, match=message):
        score_file(tmp_path / "eval_results.json")


@pytest.mark.parametrize("field", ["tests", "test_list", "cases", "public_test_cases"])
def test_problems_given_as_samples_are_told_so(tmp_path: Path, field: str) -> None:
    (tmp_path / "p.jsonl").write_text(json.dumps({"name": "HumanEval/0", "prompt": "", field: []}) + "\n")
    with pytest.raises(FlextuneError, match="this is a problem, not a sample; give its file as --problems"):
        read_samples(tmp_path / "p.jsonl", PROBLEMS)


def test_an_older_evalplus_holds_no_programs(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps({"eval": {"HumanEval/0": {"nfiles": 1}}}))
    with pytest.raises(FlextuneError, match="hold no programs"):
        read_samples(tmp_path / "r.json", PROBLEMS)
