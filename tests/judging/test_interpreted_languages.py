"""What is special in each interpreted language: early exits, test libraries, what a failure is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.judging.answers_interpreted import ANSWERS
from tests.judging.interpreted_facts import FACTS
from tests.judging.own_exits import OWN_EXITS
from tests.support.judged import Once, judged_warm, needs_toolchain, pair, verdicts_on
from tests.support.judging import LIMITS

from flextune.data import multipl_e
from flextune.judging import Limits, judge
from flextune.judging.languages.base import find_program
from flextune.records import Verdict

# None of these programs waits, so that a busy machine may take its time.
UNHURRIED = Limits(memory_bytes=LIMITS.memory_bytes)


def judged(language: str) -> dict[str, Verdict]:
    pairs = [pair(language, source, fact) for fact, (source, _) in FACTS[language].items()]
    return {verdict.name: verdict for verdict in judge(pairs, limits=UNHURRIED)}


@pytest.mark.parametrize(
    ("language", "fact"), [(language, fact) for language in FACTS for fact in FACTS[language]]
)
def test_fact(language: str, fact: str, sandboxed: None, once: Once) -> None:
    needs_toolchain(language)
    verdict = once(f"facts-{language}", lambda: judged(language))[fact]
    assert verdict.outcome == FACTS[language][fact][1], verdict


@pytest.fixture(scope="module")
def ended(sandboxed: None, once: Once) -> Callable[[str], dict[str, Verdict]]:
    """Verdicts on every right solution of a language whose tests end in an exit."""

    def run(language: str) -> dict[str, Verdict]:
        pairs = [kind.pair(name, language) for name, kind in OWN_EXITS[language].items()]
        return {verdict.name: verdict for verdict in judge(pairs, limits=UNHURRIED)}

    return lambda language: once(f"own-exits-{language}", lambda: run(language))


@pytest.mark.parametrize(
    ("language", "name"), [(language, name) for language in OWN_EXITS for name in OWN_EXITS[language]]
)
def test_tests_may_end_the_program_themselves(
    language: str, name: str, ended: Callable[[str], dict[str, Verdict]]
) -> None:
    needs_toolchain(language)
    verdict = ended(language)[name]
    assert verdict.passed, verdict


@pytest.mark.parametrize("language", ANSWERS)
def test_right_answers_to_real_problems_pass_and_a_wrong_one_does_not(
    language: str, sandboxed: None, real_data: Path
) -> None:
    needs_toolchain(language)
    problems = {
        int(problem.name.split("_")[1]): problem for problem in multipl_e.problems(language, real_data)
    }
    right = [(problems[number], text) for number, text in ANSWERS[language].items()]
    addition = 53
    difference = ANSWERS[language][addition].replace("+", "-")
    *passed, wrong = verdicts_on([*right, (problems[addition], difference)])
    assert len(passed) == len(right)
    assert [verdict for verdict in passed if not verdict.passed] == []
    assert wrong.outcome == "wrong_answer"


@pytest.mark.toolchain
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
    needs_toolchain("ts")
    (tmp_path / "main.ts").write_text(source)
    command = (find_program("tsc") or "tsc", "--target", "esnext", "main.ts")
    compiled = subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    [verdict] = judged_warm([pair("ts", source)], limits=UNHURRIED, workers=1)
    assert (verdict.outcome != "compile_error") == compiled, verdict
