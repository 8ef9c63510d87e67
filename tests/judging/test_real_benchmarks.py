"""Real problems: references pass, together with their tests and apart; skipped where data are absent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.judged import needs_toolchain, verdicts_on

from flextune.data import humaneval, mbpp, multipl_e
from flextune.records import Problem, Verdict
from flextune.rosetta.rows import rows

pytestmark = pytest.mark.usefixtures("sandboxed")


def failures(problems: list[Problem], expected: int, *, strict: bool) -> list[Verdict]:
    """The verdicts on references that did not pass, of so many as there must be."""
    verdicts = verdicts_on(((problem, problem.reference or "") for problem in problems), strict=strict)
    assert len(verdicts) == expected
    return [verdict for verdict in verdicts if not verdict.passed]


@pytest.mark.parametrize("strict", [False, True])
def test_all_humaneval_references_pass(real_data: Path, strict: bool) -> None:
    assert failures(humaneval.problems(real_data), 164, strict=strict) == []


@pytest.mark.parametrize("strict", [False, True])
def test_all_mbpp_references_pass(real_data: Path, strict: bool) -> None:
    tasks = [task for split in mbpp.SPLITS for task in mbpp.read(real_data, split)]
    assert failures(mbpp.problems(tasks), 974, strict=strict) == []


def test_an_empty_body_passes_no_humaneval_problem(real_data: Path) -> None:
    answers = [(problem, "    pass\n") for problem in humaneval.problems(real_data)[:40]]
    assert [verdict for verdict in verdicts_on(answers, strict=True) if verdict.passed] == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["py", "js"])
def test_references_of_rosetta_pass_apart_from_their_tests(language: str) -> None:
    needs_toolchain(language)
    problems = [
        Problem(row["name"], "rosetta", language, row["prompt"], row["tests"], reference=row["reference"])
        for row in rows(language, limit=40)
    ]
    assert failures(problems, 40, strict=True) == []


@pytest.mark.toolchain
def test_every_java_problem_compiles_and_runs_its_tests(real_data: Path) -> None:
    """A body that throws gets past the compiler and javatuples, and is then stopped by the first test."""
    needs_toolchain("java")
    body = '        throw new UnsupportedOperationException("not done");\n'
    verdicts = verdicts_on((problem, body) for problem in multipl_e.problems("java", real_data))
    assert len(verdicts) == 158
    assert [v for v in verdicts if v.outcome != "exception" or "not done" not in v.message] == []
