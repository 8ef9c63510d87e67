"""compare and score read what lm-evaluation-harness and inspect wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flextune.errors import FlextuneError
from flextune.judging.compare import compare_files, read_side
from flextune.judging.scoring import score_file


def lm_eval_row(number: int, metric: float, answers: int = 1, **changes: Any) -> dict[str, Any]:
    """As lm-eval 0.4 logs a HumanEval sample."""
    return {
        "doc_id": number,
        "doc": {"task_id": f"HumanEval/{number}", "prompt": "def f():", "entry_point": "f"},
        "target": "assert f()\ncheck(f)",
        "arguments": {"gen_args_0": {"arg_0": "def f():", "arg_1": {"until": ["\nclass"]}}},
        "resps": [[" return 1"] * answers],
        "filtered_resps": [["def f(): return 1"] * answers],
        "filter": "create_test",
        "metrics": ["pass@1"],
        "doc_hash": "a",
        "prompt_hash": "b",
        "target_hash": "c",
        "pass@1": metric,
        **changes,
    }


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inspect_log(path: Path, values: list[tuple[str, int, Any]], **changes: Any) -> Path:
    """As inspect 0.3 writes a log with ``--log-format json``."""
    samples = [
        {"id": name, "epoch": epoch, "input": "x", "target": "y", "scores": {"verify": {"value": value}}}
        for name, epoch, value in values
    ]
    log = {
        "version": 2,
        "status": "success",
        "eval": {"task": "humaneval", "model": "m", "dataset": {"name": "openai_humaneval"}},
        "plan": {},
        "results": {"scores": []},
        "samples": samples,
        **changes,
    }
    path.write_text(json.dumps(log))
    return path


def verdicts(path: Path, outcomes: dict[str, list[str]]) -> Path:
    rows = [
        {"name": name, "sample": sample, "outcome": outcome, "stage": "run", "language": "py"}
        for name, results in outcomes.items()
        for sample, outcome in enumerate(results)
    ]
    return lines(path, rows)


def test_lm_eval_s_samples_are_compared_with_ours(tmp_path: Path):
    ours = verdicts(tmp_path / "a.jsonl", {f"HumanEval/{n}": ["passed"] for n in range(3)})
    theirs = lines(
        tmp_path / "samples_humaneval_2026.jsonl", [lm_eval_row(n, float(n == 0)) for n in range(3)]
    )
    found = compare_files(ours, theirs)
    assert (found.count, found.won, found.lost) == (3, ("HumanEval/1", "HumanEval/2"), ())


def test_the_mean_of_several_answers_says_how_many_passed(tmp_path: Path):
    file = lines(tmp_path / "s.jsonl", [lm_eval_row(0, 0.35, answers=20), lm_eval_row(1, 0.0, answers=20)])
    side = read_side(file)
    assert side.outcomes["HumanEval/0"].count("passed") == 7
    assert (side.passed, side.known) == (7, 40)
    (score,) = score_file(file)
    assert (score.language, score.passed, score.samples) == ("py", 7, 40)


def test_a_last_line_without_its_newline_counts(tmp_path: Path):
    file = lines(tmp_path / "s.jsonl", [lm_eval_row(n, 1.0) for n in range(2)])
    file.write_text(file.read_text().removesuffix("\n"))
    assert read_side(file).known == 2


def test_mbpp_s_numbers_become_our_names(tmp_path: Path):
    row = lm_eval_row(0, 0.0, doc={"task_id": 11, "text": "x"}, pass_at_1=1.0)
    del row["pass@1"]
    assert read_side(lines(tmp_path / "s.jsonl", [row])).outcomes == {"MBPP/11": ["passed"]}


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([lm_eval_row(0, 0.35)], "s.jsonl:1: pass@1 is 0.35, which is no share of 1 answers"),
        ([lm_eval_row(0, 1.0), {"doc_id": 1}], "s.jsonl:2: not a line of lm-eval's --log_samples"),
        ([lm_eval_row(0, 1.0), lm_eval_row(0, 1.0, filter="b")], "several filters (b, create_test)"),
        ([{**lm_eval_row(0, 1.0), "pass@1": None}], "s.jsonl:1: no metric that tells right from wrong"),
        ([lm_eval_row(0, 1.0), lm_eval_row(0, 0.0)], "s.jsonl:2: a second verdict on HumanEval/0"),
    ],
)
def test_samples_that_say_nothing_clear_are_refused(
    tmp_path: Path, rows: list[dict[str, Any]], complaint: str
):
    with pytest.raises(FlextuneError) as raised:
        read_side(lines(tmp_path / "s.jsonl", rows))
    assert complaint in str(raised.value)


def test_inspect_s_logs_are_compared_with_ours(tmp_path: Path):
    names = [f"HumanEval/{number}" for number in range(4)]
    ours = verdicts(tmp_path / "a.jsonl", {name: ["wrong_answer"] for name in names})
    values: list[tuple[str, int, Any]] = [
        (name, 1, value) for name, value in zip(names, ("C", "I", 1.0, False), strict=True)
    ]
    theirs = inspect_log(tmp_path / "log.json", values)
    found = compare_files(theirs, ours)
    assert (found.won, found.lost, found.count) == (("HumanEval/0", "HumanEval/2"), (), 4)


def test_epochs_are_answers_and_errors_are_unknown(tmp_path: Path):
    file = inspect_log(tmp_path / "log.json", [("a", 1, "C"), ("a", 2, "I"), ("b", 1, "C")])
    log = json.loads(file.read_text())
    log["samples"][2]["error"] = {"message": "sandbox"}
    file.write_text(json.dumps(log))
    assert read_side(file).outcomes == {"a": ["passed", "wrong_answer"], "b": ["sandbox_fault"]}


@pytest.mark.parametrize(
    ("values", "changes", "complaint"),
    [
        ([], {}, "has no samples"),
        ([("a", 1, "maybe")], {}, "sample 1: a score that tells no right from wrong ('maybe')"),
        ([("a", 1, "C")], {"samples": [{"x": 1}]}, "sample 1: not a sample of inspect's"),
        (
            [("a", 1, "C")],
            {"samples": [{"id": "a", "scores": {"x": {"value": 1}, "y": {"value": 0}}}]},
            "sample 1: scored in several ways (x, y)",
        ),
    ],
)
def test_logs_that_say_nothing_clear_are_refused(
    tmp_path: Path, values: list[Any], changes: dict[str, Any], complaint: str
):
    with pytest.raises(FlextuneError) as raised:
        read_side(inspect_log(tmp_path / "log.json", values, **changes))
    assert complaint in str(raised.value)


def test_a_packed_log_is_refused_with_what_unpacks_it(tmp_path: Path):
    file = tmp_path / "log.eval"
    file.write_bytes(b"PK")
    with pytest.raises(FlextuneError, match="inspect log convert --to json"):
        read_side(file)


def test_another_json_file_is_refused(tmp_path: Path):
    file = tmp_path / "x.json"
    file.write_text("{}")
    with pytest.raises(FlextuneError, match="neither verdicts"):
        read_side(file)
