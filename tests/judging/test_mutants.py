from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from flextune.data import humaneval
from flextune.judging.checks.mutants import mutants
from flextune.records import Problem

PROMPT = 'def f(xs, n):\n    """Doc < 1 and 2 + 2."""\n'
BODY = (
    "    total = 0\n"
    "    for i in range(n):\n"
    "        if xs[i] >= 1 and not xs[i] in (5,):  # a < b\n"
    "            total += xs[i] * 2\n"
    "    return total\n"
)


def problem(language: str = "py", prompt: str = PROMPT, reference: str = BODY) -> Problem:
    return Problem("p", "b", language, prompt, "", reference=reference)


def texts(given: Problem, count: int = 1000, seed: int = 0) -> list[str]:
    return [mutant.text for mutant in mutants(given, count, random.Random(seed))]


def test_python_mutants_are_one_edit_each_and_parse() -> None:
    found = texts(problem())
    assert len(set(found)) == len(found)
    for text in found:
        ast.parse(PROMPT + text)
        changed = [a != b for a, b in zip(text.split("\n"), BODY.split("\n"), strict=True)]
        assert sum(changed) == 1
    for expected in (
        ">= 1 and", "> 1 and", "xs[i] >= 1 or not", "xs[i] not in (5,)", "range(n - 1)", "range(n + 1)",
        "total -= xs", "xs[i] + 2", "total = 1", "return 0", "            pass", "if True:", "in (6,)",
        ">= 1 and xs[i] in",
    ):  # fmt: skip
        assert any(expected in text for text in found), expected


def test_comments_and_docstrings_are_left_alone() -> None:
    assert all("# a < b" in text for text in texts(problem()) if "if " in text and "# " in text)
    js = problem("js", "function f(a) {\n", '  // a < b\n  return a < 1 ? " < " : `true`;\n}\n')
    assert texts(js)
    for text in texts(js):
        assert "// a < b" in text


@pytest.mark.parametrize(
    ("language", "reference", "expected"),
    [
        (
            "java",
            "return a <= b && !true ? x + 1 : 10;\n",
            ["a < b", "||", "!false", "x - 1", "11", "9", "return 0;"],
        ),
        (
            "java",
            "List<Integer> c = new ArrayList<>();\nc.add(1);\n",
            ["c.add(2)", "c.add(0)", "new ArrayList<>();\n\n"],
        ),
        ("cpp", "for (int i = 0; i < n; i++) {}\n", ["i <= n", "i--", "i = 1"]),
        ("lua", "return a ~= 1 and b\n", ["a == 1", "or b"]),
        ("sh", 'if [[ $1 -lt 3 ]]; then echo "1 < 2"; fi\n', ["$1 -le 3", "-lt 4"]),
        ("rkt", "(if (< a 1) #t (+ a 1))", ["(<= a 1)", "#f", "(- a 1)"]),
        ("pl", "return $a eq 'x' ? 1 : 2;\n", ["$a ne 'x'"]),
    ],
)
def test_other_languages_are_changed_by_their_tokens(
    language: str, reference: str, expected: list[str]
) -> None:
    found = texts(problem(language, "", reference))
    for part in expected:
        assert any(part in text for text in found), (part, found)


def test_the_same_seed_gives_the_same_mutants_of_many_kinds() -> None:
    assert texts(problem(), 5, seed=1) == texts(problem(), 5, seed=1)
    assert texts(problem(), 5, seed=1) != texts(problem(), 5, seed=2)
    assert len(texts(problem(), 5)) == 5
    assert texts(problem(), 0) == []


def test_a_mutant_says_what_it_changed_in_one_line() -> None:
    [mutant] = mutants(problem("js", "", "  x;\n  a < 1;\n"), 1, random.Random(0))
    assert mutant.line == 2
    assert str(mutant) == "line 2: `a < 1;` -> `a <= 1;`"
    dropped = mutants(problem("js", "", "  call();\n"), 1, random.Random(0))
    assert str(dropped[0]) == "line 1: `call();` -> dropped"


def test_a_reference_that_is_no_program_has_no_mutants() -> None:
    assert texts(problem(reference="    return (\n")) == []


def test_references_with_other_line_ends_and_letters_are_changed_in_the_right_place() -> None:
    given = problem(prompt="", reference="def f(x):\r\n    é = 'ü'; return x + 1\r\n")
    assert "def f(x):\r\n    é = 'ü'; return x - 1\r\n" in texts(given)


def test_every_humaneval_reference_has_mutants(real_data: Path) -> None:
    for given in humaneval.problems(real_data):
        found = texts(given, 10)
        assert found, given.name
        for text in found:
            ast.parse(given.prompt + text)
