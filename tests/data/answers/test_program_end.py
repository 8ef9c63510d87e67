"""Where a program ends behind its first stop string."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.config import EvaluateConfig
from flextune.data.answers.program_end import has_policy, program_end
from flextune.records import Problem
from flextune.sources.loading import load_problems

PYTHON = Problem("p", "humaneval", "py", 'def f(n):\n    """Doc."""\n', "check(f)", stop=("\ndef",))
JAVA = Problem(
    "p",
    "multipl-e",
    "java",
    "import java.util.*;\nclass Problem {\n    public static long f(long n) {\n",
    "    }\n    public static void main(String[] args) {\n    }\n}\n",
    stop=("\n    }\n",),
)
JS = Problem("p", "multipl-e", "js", "function f(n) {\n", "const assert = 1;\n", stop=("\nfunction ",))

BODY = "    return g(n)\n\n"
HELPER = "def g(n):\n    return n + 1\n\n"
JAVA_BODY = "        return isOdd(n) ? 1 : 2;\n    }\n\n"
JAVA_HELPER = (
    "    static boolean isOdd(long n) {\n        if (n < 0) { n = -n; }\n        return n % 2 == 1;\n"
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (BODY + HELPER + "print(f(1))\n", BODY + HELPER),
        (BODY + "K = 3\n\n" + HELPER + "assert f(1)\n", BODY + "K = 3\n\n" + HELPER),
        (BODY + "@cache\n" + HELPER + "def rest():\n    pass\n", BODY + "@cache\n" + HELPER),
        # What the first helper calls is needed, too.
        (BODY + "def g(n):\n    return h(n)\n\ndef h(n):\n    return n\n\nprint(1)\n", ...),
        # Nothing is lacking, a definition of something else, a second one, a statement before it, a fence.
        ("    return n\n\n" + HELPER, None),
        (BODY + "def other():\n    pass\n\nprint(1)\n", None),
        (BODY + "def f(n):\n    return 1\n\n" + HELPER, None),
        (BODY + "print(f(1))\n\n" + HELPER, None),
        (BODY + "```\n\n" + HELPER, None),
        # A text that breaks off within the helper is no better with it.
        (BODY + "def g(n):\n    return (", None),
        # No code: lines of a literal, and of a bracket.
        ('    x = """\ndef g(n): pass\n"""\n    return [\ng(n)]\n', None),
    ],
)
def test_python_keeps_what_is_called_and_lacking(text: str, kept: str | None) -> None:
    wanted = text.removesuffix("print(1)\n") if kept is ... else kept
    assert program_end(PYTHON, text, final=True).text == wanted


def test_a_helper_of_a_method_leaves_its_last_scope_to_the_tests() -> None:
    tail = "    }\n\n    public static void main(String[] a) {\n    }\n}\n"
    found = program_end(JAVA, JAVA_BODY + JAVA_HELPER + tail, final=True)
    assert found.text == JAVA_BODY + JAVA_HELPER
    program = JAVA.program(found.text)
    assert program.count("{") == program.count("}")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  return g(n);\n}\n\nfunction g(n) {\n  return 1;\n}\n\nconsole.log(f(1));\n", True),
        ("  return g(n);\n}\n\nconst g = (n) => {\n  return 1;\n}\n\nconsole.log(f(1));\n", True),
        ("  return n;\n}\n\nfunction g(n) {\n  return 1;\n}\n", False),
        ("  return g(n);\n}\n\nconsole.log(f(1));\nfunction g(n) {\n  return 1;\n}\n", False),
    ],
)
def test_javascript_keeps_whole_functions(text: str, kept: bool) -> None:
    found = program_end(JS, text, final=True).text
    assert found == (text.removesuffix("\n\nconsole.log(f(1));\n") if kept else None)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (PYTHON, BODY + HELPER + "print(f(1))\n"),
        (PYTHON, "    return n\n\nif 1:\n    pass\n"),
        (JAVA, JAVA_BODY + JAVA_HELPER + "    }\n}\n"),
        (JS, "  return g(n);\n}\n\nfunction g(n) {\n  return 1;\n}\n\nconsole.log(f(1));\n"),
    ],
)
def test_what_is_decided_early_is_what_is_found_at_the_end(problem: Problem, text: str) -> None:
    whole = program_end(problem, text, final=True).text
    decided = [cut for cut in range(len(text) + 1) if program_end(problem, text[:cut], final=False).decided]
    assert decided
    assert decided[0] > 10
    for cut in decided:
        assert program_end(problem, text[:cut], final=False).text == whole


UNRELATED = {
    "py": "\n\ndef unrelated():\n    pass\n",
    "java": "\n    }\n    static long unrelated() {\n        return 1;\n    }\n}\n",
    "js": "\n\nfunction unrelated() {\n  return 1;\n}\n",
}


@pytest.mark.parametrize("language", list(UNRELATED))
def test_right_programs_lack_nothing(language: str) -> None:
    part = EvaluateConfig(benchmark="rosetta", language=language, limit=60)
    for problem in load_problems(part, None):
        text = (problem.reference or "").rstrip("\n") + UNRELATED[language]
        found = program_end(problem, text, final=False)
        assert (found.text, found.decided) == (None, True), problem.name


@pytest.mark.data
def test_right_programs_of_humaneval_lack_nothing(real_data: Path) -> None:
    for problem in load_problems(EvaluateConfig(benchmark="humaneval", language="py"), real_data):
        text = (problem.reference or "").rstrip("\n") + UNRELATED["py"]
        found = program_end(problem, text, final=False)
        assert (found.text, found.decided) == (None, True), problem.name


def test_languages_without_a_policy_are_known() -> None:
    assert [name for name in ("py", "java", "js", "cpp", "rb", "lua", "rkt", "sh") if has_policy(name)] == [
        "py",
        "java",
        "js",
        "cpp",
    ]
