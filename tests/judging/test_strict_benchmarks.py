"""References of real benchmarks pass where tests and solution are apart; skipped where data are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flextune.data import humaneval, mbpp
from flextune.judging import judge, language
from flextune.records import Completion, Problem, Verdict
from flextune.rosetta.rows import rows

DATA = Path(os.environ.get("FLEXTUNE_DATA") or Path(__file__).parents[3] / "shared" / "data")

pytestmark = pytest.mark.usefixtures("sandboxed")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no benchmark data in {DATA}; set FLEXTUNE_DATA")


def failures(problems: list[Problem], expected: int) -> list[Verdict]:
    """The verdicts on references that did not pass, of so many as there must be."""
    pairs = [(problem, Completion(problem.name, 0, problem.reference or "")) for problem in problems]
    verdicts = list(judge(pairs, strict=True))
    assert len(verdicts) == expected
    return [verdict for verdict in verdicts if not verdict.passed]


@needs_data
def test_all_humaneval_references_pass() -> None:
    assert failures(humaneval.problems(DATA), 164) == []


@needs_data
def test_all_mbpp_references_pass() -> None:
    tasks = [task for split in mbpp.SPLITS for task in mbpp.read(DATA, split)]
    assert failures(mbpp.problems(tasks), 974) == []


@needs_data
def test_an_empty_body_passes_no_humaneval_problem() -> None:
    problems = humaneval.problems(DATA)[:40]
    pairs = [(problem, Completion(problem.name, 0, "    pass\n")) for problem in problems]
    assert [verdict for verdict in judge(pairs, strict=True) if verdict.passed] == []


@pytest.mark.parametrize("tongue", ["py", "js"])
def test_references_of_rosetta_pass(tongue: str) -> None:
    if not language(tongue).toolchain().found:
        pytest.skip(language(tongue).toolchain().missing)
    problems = [
        Problem(row["name"], "rosetta", tongue, row["prompt"], row["tests"], reference=row["reference"])
        for row in rows(tongue, limit=40)
    ]
    assert failures(problems, 40) == []
