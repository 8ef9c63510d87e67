"""What is special in each interpreted language: early exits, test libraries, what a failure is."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
from answers_interpreted import ANSWERS
from interpreted_facts import FACTS
from judging_helpers import LIMITS, pair

from flextune.judging import Limits, judge, language
from flextune.judging.languages.base import find_program
from flextune.records import Completion, Problem, Verdict

DATA = Path(os.environ.get("FLEXTUNE_DATA") or Path(__file__).parents[3] / "shared" / "data")
# None of these programs waits, so that a busy machine may take its time.
UNHURRIED = Limits(memory_bytes=LIMITS.memory_bytes)


def skip_without(tongue: str) -> None:
    toolchain = language(tongue).toolchain()
    if not toolchain.found:
        pytest.skip(f"{toolchain.missing} is missing; {toolchain.install}")


@cache
def verdicts(tongue: str) -> dict[str, Verdict]:
    pairs = [pair(tongue, source, fact) for fact, (source, _) in FACTS[tongue].items()]
    return {verdict.name: verdict for verdict in judge(pairs, limits=UNHURRIED)}


@pytest.mark.parametrize(("tongue", "fact"), [(tongue, fact) for tongue in FACTS for fact in FACTS[tongue]])
def test_fact(tongue: str, fact: str, sandboxed: None) -> None:
    skip_without(tongue)
    verdict = verdicts(tongue)[fact]
    assert verdict.outcome == FACTS[tongue][fact][1], verdict


@pytest.mark.parametrize("tongue", FACTS)
def test_what_is_missing_comes_with_the_command_that_installs_it(
    tongue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    toolchain = language(tongue).toolchain()
    assert not toolchain.found
    assert toolchain.missing
    assert "install" in toolchain.install


@pytest.mark.parametrize("tongue", ANSWERS)
def test_right_answers_to_real_problems_pass_and_a_wrong_one_does_not(tongue: str, sandboxed: None) -> None:
    skip_without(tongue)
    file = DATA / f"multipl-e/humaneval-{tongue}.jsonl"
    if not file.is_file():
        pytest.skip(f"no benchmark data in {DATA}; set FLEXTUNE_DATA")
    rows = {int(row["name"].split("_")[1]): row for row in map(json.loads, file.read_text().splitlines())}
    problems = {
        number: Problem(row["name"], "multipl-e", tongue, row["prompt"], row["tests"])
        for number, row in rows.items()
    }
    pairs = [
        (problems[number], Completion(problems[number].name, 0, text))
        for number, text in ANSWERS[tongue].items()
    ]
    addition = 53
    difference = ANSWERS[tongue][addition].replace("+", "-")
    found = list(judge([*pairs, (problems[addition], Completion(problems[addition].name, 1, difference))]))
    assert [verdict for verdict in found if verdict.sample == 0 and not verdict.passed] == []
    assert [verdict.outcome for verdict in found if verdict.sample == 1] == ["wrong_answer"]


@pytest.mark.parametrize(
    "source",
    [
        "const x: number = [1, 2].map((y) => y + 1).length;",
        "const x: string = 5;",
        "interface Node { value: number; next: Node | null }",
        "interface Node { extra: number }",
        "function name() {}",
        "declare var require: any; const fs = require('fs'); fs.existsSync('/');",
    ],
)
def test_the_compile_server_refuses_what_tsc_refuses(source: str, tmp_path: Path, sandboxed: None) -> None:
    skip_without("ts")
    (tmp_path / "main.ts").write_text(source)
    command = (find_program("tsc") or "tsc", "--target", "esnext", "main.ts")
    compiled = subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    [verdict] = judge([pair("ts", source)], limits=UNHURRIED)
    assert (verdict.outcome != "compile_error") == compiled, verdict
