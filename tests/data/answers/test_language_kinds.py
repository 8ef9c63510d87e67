"""Answers in other languages pass with their tests; whole programs stay as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.data.answers.language_kinds import ANSWERS, FUNCTIONS, PROGRAMS, answers, explained
from tests.support.judged import needs_toolchain, verdicts_on

from flextune.data import multipl_e
from flextune.data.answers import read_answer, read_completion, read_program, read_text
from flextune.records import Case, Problem

STOPS = ("\nif", "\ndef", "\n}", "\nclass", "\nfunc", "\nprint", "\nint main")
ADD = Problem("add", "test", "", "", "", stop=STOPS, cases=(Case("1 2\n", "3\n"), Case("5 6\n", "11\n")))


@pytest.mark.parametrize("language", ANSWERS)
def test_every_form_of_an_answer_passes(real_data: Path, sandboxed: None, language: str) -> None:
    needs_toolchain(language)
    problem = posed(language, real_data)
    read = [read_answer(problem, answer) for answer in answers(language)]
    found = verdicts_on([one.pair for one in read])
    failed = [
        (one.program, verdict.message) for one, verdict in zip(read, found, strict=True) if not verdict.passed
    ]
    assert failed == []


@pytest.mark.parametrize("tongue", FUNCTIONS)
def test_what_surrounds_the_code_is_left_out(real_data: Path, tongue: str) -> None:
    problem, code = posed(tongue, real_data), FUNCTIONS[tongue]
    plain = read_answer(problem, f"```\n{code}```\n").text
    for answer, rule in (
        (f"Here it is, don't worry:\n\n{code}\nThat's it; it is O(n).\n", "unfenced"),
        (f"{code}```\n\nThat's it.\n", "closing-fence"),
        (f"<think>\n```{tongue}\n{code} WRONG\n```\n</think>\n\n```\n{code}```", "reasoning"),
        (f"{code.rstrip()}<|im_end|>\nmore ( here", "end-token"),
    ):
        read = read_answer(problem, answer)
        assert rule in {step.rule for step in read.steps}, (answer, read.steps)
        assert read.text.split() == plain.split(), answer


@pytest.mark.parametrize("tongue", ["cpp", "go", "js", "php", "rb", "rs"])
def test_a_function_that_nobody_names_is_found_by_the_tests(tongue: str) -> None:
    """A row of one's own, whose prompt only describes."""
    name = {"cpp": "string_length", "php": "add"}.get(tongue, "strlen")
    problem = Problem("own", "test", tongue, "", f"{name}(1)")
    usage = f"```\n// {'long ' * 200}\nprint(1)\n```\n"
    assert "long long" not in read_answer(problem, f"```\n{FUNCTIONS[tongue]}```\nUsage:\n{usage}").text


@pytest.mark.parametrize(
    ("language", "prompt", "program", "once"),
    [
        ("php", "<?php\n// Add.\n", "<?php\nfunction add($a, $b) { return $a + $b; }\n", "<?php"),
        ("rkt", "; Add.\n", "#lang racket\n(define (add a b) (+ a b))\n", "#lang racket"),
        ("go", "package x\n\n// Add.\n", "package main\n\nfunc add(a, b int) int { return a }\n", "package"),
    ],
)  # fmt: skip
def test_what_a_language_has_once_is_there_once(language: str, prompt: str, program: str, once: str) -> None:
    read = read_answer(Problem("own", "test", language, prompt, "add(1, 2)"), f"```\n{program}```")
    assert read.program.count(once) == 1
    assert read.program.startswith(once)


@pytest.mark.parametrize(
    ("tongue", "helper"),
    [
        ("java", "class Trie {\n    long strlen(String s) {\n        return 1;\n    }\n}\n"),
        ("cpp", "struct Trie {\n    long string_length(std::string s) { return 1; }\n};\n"),
        ("js", "class Trie {\n  strlen(s) {\n    return 1;\n  }\n}\n"),
        ("php", "class Trie {\n    function add($x, $y) {\n        return 1;\n    }\n}\n"),
        ("rb", "class Trie\n  def strlen(s)\n    1\n  end\nend\n"),
    ],
)
def test_a_method_of_a_helper_is_not_the_function(real_data: Path, tongue: str, helper: str) -> None:
    whole = FUNCTIONS[tongue] if tongue != "java" else f"class Problem {{\n{FUNCTIONS[tongue]}}}\n"
    read = read_answer(posed(tongue, real_data), f"```\n{helper}{whole}```")
    assert "solution-class" not in {step.rule for step in read.steps}
    assert helper.strip() in read.text


def posed(language: str, folder: Path) -> Problem:
    number = 53 if language == "php" else 23
    found = multipl_e.problems(language, folder)
    return next(problem for problem in found if problem.name.startswith(f"HumanEval_{number}_"))


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
def test_prose_around_a_whole_program_is_left_out(language: str) -> None:
    problem = replace(ADD, language=language)
    for program in PROGRAMS[language]:
        answer = f"Here's the program:\n\n{program}\nIt reads two numbers, and it's quick.\n"
        read = read_answer(problem, answer)
        assert read.program.strip() == program.strip()
        assert [step.rule for step in read.steps] == ["unfenced", "whole-program"]


def test_a_program_is_started_by_the_block_after_it() -> None:
    solve = "def solve():\n    print(sum(map(int, input().split())))\n"
    start = "if __name__ == '__main__':\n    solve()\n"
    read = read_answer(
        replace(ADD, language="py"), f"```python\n{solve}```\nRun it:\n```python\n{start}```\n"
    )
    assert read.text == f"{solve}\n{start}"


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
    assert read_program(problem, "print(3)\n").program == f"{problem.prompt}print(3)\n"
    future = read_program(problem, "from __future__ import annotations\nprint(3)\n").program
    assert future.startswith("from __future__ import annotations\nimport math")
