"""Answers in other languages pass with their tests; whole programs stay as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.data.answers.language_kinds import ANSWERS, PROGRAMS, answers, explained
from tests.support.judged import needs_toolchain, verdicts_on

from flextune.data import multipl_e
from flextune.data.answers import read_answer, read_completion, read_program, read_text
from flextune.records import Case, Problem

STOPS = ("\nif", "\ndef", "\n}", "\nclass", "\nfunc", "\nprint", "\nint main")
ADD = Problem("add", "test", "", "", "", stop=STOPS, cases=(Case("1 2\n", "3\n"), Case("5 6\n", "11\n")))


@pytest.mark.parametrize("language", ANSWERS)
def test_every_form_of_an_answer_passes(real_data: Path, sandboxed: None, language: str) -> None:
    needs_toolchain(language)
    number = 53 if language == "php" else 23
    [problem] = [
        problem
        for problem in multipl_e.problems(language, real_data)
        if problem.name.startswith(f"HumanEval_{number}_")
    ]
    read = [read_answer(problem, answer) for answer in answers(language)]
    found = verdicts_on([one.pair for one in read])
    failed = [
        (one.program, verdict.message) for one, verdict in zip(read, found, strict=True) if not verdict.passed
    ]
    assert failed == []


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_whole_program_is_neither_cleaned_nor_cut(language: str) -> None:
    problem = replace(ADD, language=language)
    for program in PROGRAMS[language]:
        answer = explained(language, program)
        for read in (
            read_answer(problem, answer), read_answer(problem, program), read_program(problem, program),
            read_completion(problem, program), read_text(problem, program), read_text(problem, answer),
        ):  # fmt: skip
            assert read.program.strip() == program.strip(), read.steps


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_whole_program_passes(sandboxed: None, language: str) -> None:
    needs_toolchain(language)
    problem = replace(ADD, language=language)
    texts = [explained(language, program) for program in PROGRAMS[language]]
    verdicts = verdicts_on([read_answer(problem, text).pair for text in texts])
    assert [(verdict.outcome, verdict.message) for verdict in verdicts] == [("passed", "")] * len(texts)


def test_of_several_programs_the_last_that_reads_is_taken() -> None:
    first = "print(sum(map(int, open(0).read().split())) + 1)\n"
    last = "a, b = map(int, input().split())\nprint(add(a, b))\n"
    helper = "def add(a, b):\n    return a + b\n"
    answer = f"```python\n{first}```\nBetter:\n```python\n{helper}```\n```python\n{last}```\n"
    read = read_answer(replace(ADD, language="py"), f"{answer}Try it:\n```python\nprint(add(1, 2))\n```\n")
    assert read.text == f"{helper}{last}"
    assert [step.rule for step in read.steps] == ["program-block", "joined", "whole-program"]


@pytest.mark.parametrize(
    ("language", "prompt", "program"),
    [
        ("cpp", "#include <iostream>\n// Add.\n", "#include <iostream>\nint main() {}\n"),
        ("go", "package main\n\n// Add.\n", "package main\n\nfunc main() {\n}\n"),
        ("php", "<?php\n// Add.\n", "<?php\necho 3;\n"),
        ("rkt", "#lang racket\n; Add.\n", "#lang racket\n(displayln 3)\n"),
        ("java", "import java.util.*;\n", "class A {\n    public static void main(String[] args) {}\n}\n"),
    ],
)  # fmt: skip
def test_a_program_with_a_beginning_of_its_own_replaces_the_prompt(
    language: str, prompt: str, program: str
) -> None:
    problem = replace(ADD, language=language, prompt=prompt)
    assert read_answer(problem, f"```\n{program}```").program.strip() == program.strip()
    assert read_answer(problem, f"```\n{prompt}{program}```").program.count(prompt) == 1


def test_a_program_follows_a_prompt_that_only_describes() -> None:
    problem = replace(ADD, language="py", prompt='import math\n"""Add."""\n')
    assert read_program(problem, "print(3)\n").program == f"{problem.prompt}print(3)\n\n"
    future = read_program(problem, "from __future__ import annotations\nprint(3)\n").program
    assert future.startswith("from __future__ import annotations\nimport math")
