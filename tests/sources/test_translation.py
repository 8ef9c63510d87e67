"""Problems in other languages joined to their Python solutions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flextune.config import EvaluateConfig
from flextune.errors import FlextuneError
from flextune.records import Problem
from flextune.sources.loading import load_problems
from flextune.sources.translation import python_solutions


@pytest.mark.parametrize("lexicon", ["base", "reserved"])
def test_a_rosetta_problem_has_the_python_program_of_the_same_operations(lexicon: str) -> None:
    part = EvaluateConfig(benchmark="rosetta", language="java", lexicon=lexicon, limit=12)
    problems = load_problems(part, None)
    solutions = python_solutions(part, problems, None)
    python = load_problems(part.model_copy(update={"language": "py"}), None)
    for problem, original in zip(problems, python, strict=True):
        assert problem.name == original.name
        assert solutions[problem.name] == f"{original.prompt}{original.reference}".strip("\n")


@pytest.mark.data
def test_multipl_e_is_joined_to_humaneval_by_number(real_data: Path) -> None:
    part = EvaluateConfig(benchmark="multipl-e", language="java")
    problems = load_problems(part, real_data)
    solutions = python_solutions(part, problems, real_data)
    assert len(solutions) == 158
    for problem in problems:
        # HumanEval_12_longest is the function longest.
        function = re.sub(r"^HumanEval_\d+_", "", problem.name)
        assert re.search(rf"^def {function}\(", solutions[problem.name], re.MULTILINE), problem.name


@pytest.mark.data
def test_translations_of_mbpp_are_joined_to_tasks_of_every_split(real_data: Path) -> None:
    part = EvaluateConfig(benchmark="multipl-e-mbpp", language="java")
    problems = [Problem(f"mbpp_{n}_x", "multipl-e-mbpp", "java", "p", "t") for n in (2, 11, 600, 974)]
    solutions = python_solutions(part, problems, real_data)
    assert all(solution.count("def ") >= 1 and "\r" not in solution for solution in solutions.values())
    with pytest.raises(
        FlextuneError, match="mbpp has no Python solution for 1 of 1 problems, first 'mbpp_0_x'"
    ):
        python_solutions(part, [Problem("mbpp_0_x", "multipl-e-mbpp", "java", "p", "t")], real_data)


@pytest.mark.parametrize(
    ("benchmark", "language", "complaint"),
    [
        ("humaneval", "py", "humaneval py: its problems are in Python already"),
        (
            "apps",
            "java",
            r"apps: its problems have no Python solutions here.* \(benchmarks that do: multipl-e",
        ),
    ],
)
def test_what_cannot_be_translated_is_said(benchmark: str, language: str, complaint: str) -> None:
    with pytest.raises(FlextuneError, match=complaint):
        python_solutions(EvaluateConfig(benchmark=benchmark, language=language), [], None)
