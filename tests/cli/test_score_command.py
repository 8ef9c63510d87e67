from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import Call, write_lines


def rows(name: str, *outcomes: str, language: str = "py") -> list[dict[str, object]]:
    return [
        {"name": name, "sample": n, "outcome": outcome, "stage": "run", "language": language}
        for n, outcome in enumerate(outcomes)
    ]


def test_a_line_for_each_language_with_intervals(flextune: Call, tmp_path: Path):
    verdicts = [*rows("a", "passed"), *rows("b", "timeout"), *rows("a", "passed", language="js")]
    said = flextune("score", write_lines(tmp_path / "v.jsonl", verdicts))
    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()] == [
        ["language", "judged", "passed", "pass@1", "%", "other", "outcomes"],
        ["py", "2", "1", "50.0", "[9.5,", "90.5]", "1", "timeout"],
        ["js", "1", "1", "100.0", "[20.7,", "100.0]"],
    ]


def test_samples_give_pass_at_10_in_eighty_columns(flextune: Call, tmp_path: Path):
    verdicts = [*rows("a", *["passed"] * 10), *rows("b", *["timeout"] * 10), *rows("c", "sandbox_fault")]
    said = flextune("score", write_lines(tmp_path / "v.jsonl", verdicts))
    assert said.out.split()[:7] == ["language", "judged", "passed", "pass@1", "%", "pass@10", "%"]
    assert "py: 10 timeout, 1 sandbox_fault" in said.out
    assert "py: 1 problem has an unknown outcome and no part in pass@k (c)" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    found = flextune("score", tmp_path / "v.jsonl", "--json").json
    assert [estimate["metric"] for estimate in found[0]["estimates"]] == ["pass@1", "pass@10"]


def test_a_language_that_was_not_judged_has_no_number_and_ends_with_3(flextune: Call, tmp_path: Path):
    verdicts = [*rows("a", "passed"), *rows("b", "toolchain_missing", language="scala")]
    said = flextune("score", write_lines(tmp_path / "v.jsonl", verdicts))
    assert said.code == 3
    assert said.out.splitlines()[-1].split() == ["scala", "0", "of", "1", "0", "-", "1", "toolchain_missing"]
    found = json.loads(flextune("score", tmp_path / "v.jsonl", "--json").out)
    assert found[1]["estimates"][0]["value"] is None


def test_another_file_is_an_error_in_one_line(flextune: Call, tmp_path: Path):
    said = flextune("score", write_lines(tmp_path / "samples.jsonl", [{"name": "a", "completion": ""}]))
    assert said.code == 1
    assert said.err.count("\n") == 1
