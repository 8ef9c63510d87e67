from __future__ import annotations

import pytest

from flextune.data.answers import read_answer
from flextune.data.answers.choosing import code_in
from flextune.data.answers.grammar import GRAMMARS, Grammar, closed_scopes, grammar_of
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import Wanted
from flextune.records import Problem

JS, PY, CPP = GRAMMARS["js"], GRAMMARS["py"], GRAMMARS["cpp"]


def code(answer: str, grammar: Grammar) -> str:
    return code_in(answer, grammar, Wanted("f"), program=False, trace=Trace())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("```js\na\n```", "a\n"),
        (" ```js\na\n``` ", "a\n"),
        ("Text\n~~~javascript\na\n~~~\nmore", "a\n"),
        ("```js title=x.js\na\n```", "a\n"),
        ("```{.javascript}\na\n```", "a\n"),
        ("1. Do\n   ```js\n   a\n   ```\n", "a\n"),
        ("```js\nfunction f() {", "function f() {\n"),
        ("````js\n```\na\n````", "```\na\n"),
        ("```bash\nnpm install a-long-package-name\n```\n```js\na\n```", "a\n"),
        ("```bash\nnpm install a-long-package-name\n```\n```\na\n```", "a\n"),
        ("```text\nfunction f() {}\n```", "function f() {}\n"),
        ("```js\nf(1); f(2); f(3); f(4); f(5);\n```\n```js\nfunction f() {}\n```", "function f() {}\n"),
        ("```js\nfunction f() {}\n```\nBetter:\n```js\nfunction f() { 1 }\n```", "function f() { 1 }\n"),
        ("```js\nshort\n```\n```js\nmuch longer\n```", "much longer\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_block_that_is_meant_is_taken(answer: str, expected: str) -> None:
    assert code(answer, JS) == expected


def test_without_a_fence_prose_around_the_code_is_left_out() -> None:
    answer = "Here's how:\n\nimport math\n\ndef f(x):\n    return x\n\nThis isn't hard, and it's linear."
    assert code(answer, PY).strip() == "import math\n\ndef f(x):\n    return x"
    answer = "It's this:\n\n#include <vector>\nint f(int x) {\n    return x;\n}\n\nIt returns x."
    assert code(answer, CPP) == "#include <vector>\nint f(int x) {\n    return x;\n}\n"


def test_without_fence_and_definition_the_answer_is_a_completion() -> None:
    assert code("    return x\n", PY) == "    return x\n"


@pytest.mark.parametrize(
    ("language", "source", "scopes"),
    [
        ("java", '    }\n    static { x("}"); } // }\n}', 2),
        ("cpp", "}\nint main() { char c = '}'; long n = 1'000; }", 1),
        ("rs", "}\nfn f<'a>(x: &'a str) { let s = r#\"}\"#; }", 1),
        ("js", "function t() { return /[}]/.test(`}`) }", 0),
        ("go", "func T() { s := `}` }", 0),
        ("sh", "}\nf() {\n  echo ${x} # }\n}", 1),
        ("kotlin", "}\nfun main() { }", 1),
    ],
)
def test_braces_in_literals_and_comments_close_nothing(language: str, source: str, scopes: int) -> None:
    blanked = grammar_of(language).blank(source)
    assert len(blanked) == len(source)
    assert closed_scopes(blanked) == scopes


@pytest.mark.parametrize("language", GRAMMARS)
@pytest.mark.slow
def test_odd_texts_come_to_an_end(language: str) -> None:
    """Patterns that try every way to match would take hours here."""
    problem = Problem("p", "b", language, "", "", entry_point="f")
    pieces = (
        "f(",
        "a f(a ",
        "f (x) throws ",
        "'\"`/*",
        "{",
        '\\"',
        "=/[a]",
        "=begin\n",
        'R"(',
        "import (\n",
        "import a\n",
        "</think> x",
    )
    for piece in pieces:
        text = piece * (100_000 // len(piece))
        for answer in (text, f"```\n{text}\n```"):
            assert read_answer(problem, answer).problem.tests == ""
