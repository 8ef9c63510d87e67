"""Real benchmark files; skipped where the folder is absent."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from flextune.judging import judge, language
from flextune.records import Completion, Problem

DATA = Path(os.environ.get("FLEXTUNE_DATA") or Path(__file__).parents[3] / "shared" / "data")


@pytest.fixture(scope="module", autouse=True)
def data(sandboxed: None) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no benchmark data in {DATA}; set FLEXTUNE_DATA")


def test_all_humaneval_references_pass() -> None:
    with gzip.open(DATA / "HumanEval.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    pairs = [
        (
            Problem(
                row["task_id"],
                "humaneval",
                "py",
                row["prompt"],
                f"{row['test']}\ncheck({row['entry_point']})",
            ),
            Completion(row["task_id"], 0, row["canonical_solution"]),
        )
        for row in rows
    ]
    verdicts = list(judge(pairs))
    assert len(verdicts) == 164
    assert [verdict for verdict in verdicts if not verdict.passed] == []


def test_every_java_problem_compiles_and_runs_its_tests() -> None:
    """A body that throws gets past the compiler and javatuples, and is then stopped by the first test."""
    if not language("java").toolchain().found:
        pytest.skip(language("java").toolchain().missing)
    rows = [json.loads(line) for line in (DATA / "multipl-e/humaneval-java.jsonl").read_text().splitlines()]
    body = '        throw new UnsupportedOperationException("not done");\n'
    pairs = [
        (
            Problem(row["name"], "multipl-e", "java", row["prompt"], row["tests"]),
            Completion(row["name"], 0, body),
        )
        for row in rows
    ]
    verdicts = list(judge(pairs))
    assert len(verdicts) == 158
    assert [v for v in verdicts if v.outcome != "exception" or "not done" not in v.message] == []
