"""What a forged verdict is: a wrong solution that would be taken for a right one."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from flextune.records import Completion, Problem

#: What a judge may look for in the output, and a program prints.
MARKER = "ALL TESTS PASSED"

PROMPTS: Mapping[str, str] = {
    "py": "def add(a, b):\n",
    "js": "function add(a, b){\n",
    "java": (
        "import java.util.*;\nimport java.lang.reflect.*;\nimport java.io.*;\n"
        "class Problem {\n    public static ArrayList<Long> add(long a, long b) {\n"
    ),
    "cpp": "#include<assert.h>\n#include<bits/stdc++.h>\nlong add(long a, long b) {\n",
}
TESTS: Mapping[str, str] = {
    "py": (
        "def check(candidate):\n    assert candidate(2, 3) == 5\n    assert candidate(10, -4) == 6\n"
        "    assert candidate(0, 7) == 7\n\ncheck(add)"
    ),
    "js": (
        "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = add;\n"
        "  assert.deepEqual(candidate(2, 3),5);\n  assert.deepEqual(candidate(10, -4),6);\n"
        "  assert.deepEqual(candidate(0, 7),7);\n}\n\ntest();"
    ),
    "java": (
        "    }\n    public static void main(String[] args) {\n"
        "    assert(add((2l), (3l)).equals((new ArrayList<Long>(Arrays.asList((long)5l)))));\n"
        "    assert(add((10l), (-4l)).equals((new ArrayList<Long>(Arrays.asList((long)6l)))));\n    }\n\n}\n"
    ),
    "cpp": (
        "}\nint main() {\n    auto candidate = add;\n    assert(candidate((2), (3)) == (5));\n"
        "    assert(candidate((10), (-4)) == (6));\n    assert(candidate((0), (7)) == (7));\n}\n"
    ),
}
RIGHT: Mapping[str, str] = {
    "py": "    return a + b\n",
    "js": "  return a + b;\n}\n",
    "java": "        return new ArrayList<>(List.of(a + b));\n",
    "cpp": "    return a + b;\n",
}
#: Naive runners: each is put before the program.
RUNNERS: Mapping[str, str] = {
    "py": "import os\n_kept = [os.read(3, 32)]\n",
    "js": "const kept = require('fs').readFileSync(3, 'latin1');\n",
}


@dataclass(frozen=True)
class Forgery:
    """A wrong solution in one language.

    Attributes:
        name: What it does.
        solution: What follows the prompt.
        outcome: What our judge says of the whole program; ``passed`` where it is known not to be caught.
        strict: The outcome when solution and tests run apart, in the languages that can.
        fooled: Which judge it is seen to fool: one that trusts the ``exit status``, one that trusts a printed
            ``marker``, one whose ``runner`` keeps its secret in a variable (``RUNNERS``), or ours by
            ``default``, with solution and tests in one process.
    """

    name: str
    solution: str
    outcome: str
    strict: str = ""
    fooled: str = "exit status"


def problem(language: str) -> Problem:
    """The problem that nobody solves here."""
    return Problem("add", "hostile", language, PROMPTS[language], TESTS[language], entry_point="add")


def completion(forgery: Forgery) -> Completion:
    """The forgery as an answer to ``problem``."""
    return Completion("add", 0, forgery.solution)


def python(module: str, body: str = "return 0") -> str:
    """A solution in Python: the body of the function, and what follows it."""
    return textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n\n" + _dedented(module)


def javascript(module: str, body: str = "return 0;") -> str:
    """A solution in JavaScript: the body of the function, and what follows it."""
    return textwrap.indent(textwrap.dedent(body).strip("\n"), "  ") + "\n}\n\n" + _dedented(module)


def java(body: str, members: str = "") -> str:
    """A solution in Java: members of the class, and then the body of the function, which the tests end."""
    if not members:
        return textwrap.indent(_dedented(body), "        ")
    # The function that the prompt began gets a body that is never reached, and the members come after it.
    first = "        return answer(a, b);\n    }\n"
    last = "    static ArrayList<Long> answer(long a, long b) {\n"
    return (
        first
        + textwrap.indent(_dedented(members), "    ")
        + last
        + textwrap.indent(_dedented(body), "        ")
    )


def cpp(outside: str, body: str = "return 0;") -> str:
    """A solution in C++: the body of the function, and what follows it; the tests end the last function."""
    return textwrap.indent(_dedented(body), "    ") + "}\n" + _dedented(outside) + "static void unused() {\n"


def _dedented(source: str) -> str:
    return textwrap.dedent(source).strip("\n") + "\n"
