"""Solution and tests in two processes: no cheat passes, and values arrive."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.judging.strict_programs import (
    FAILING,
    FORGED,
    JAVASCRIPT_CHEATS,
    JAVASCRIPT_TESTS,
    PYTHON_CHEATS,
    PYTHON_TESTS,
    WRONG_ANSWERS,
    Cheat,
)
from tests.judging.strict_values_in_use import JAVASCRIPT_VALUES, PYTHON_VALUES
from tests.support.judged import judged_warm, needs_toolchain
from tests.support.judging import LIMITS

from flextune.judging.judge import strict_languages
from flextune.records import Completion, Problem, Verdict

pytestmark = pytest.mark.slow

CHEATS = {"py": PYTHON_CHEATS, "js": JAVASCRIPT_CHEATS}
TESTS = {"py": PYTHON_TESTS, "js": JAVASCRIPT_TESTS}
VALUES = {"py": PYTHON_VALUES, "js": JAVASCRIPT_VALUES}


@pytest.fixture(scope="module", params=["py", "js"])
def language(request: pytest.FixtureRequest, sandboxed: None) -> str:
    needs_toolchain(request.param)
    return request.param


def verdicts(
    language: str, programs: Iterable[tuple[str, str, str]], *, strict: bool = True, prompt: str = ""
) -> dict[str, Verdict]:
    """Verdicts on programs given as name, solution and tests."""
    pairs = [
        (Problem(name, "test", language, prompt, tests), Completion(name, 0, solution))
        for name, solution, tests in programs
    ]
    return {verdict.name: verdict for verdict in judged_warm(pairs, limits=LIMITS, strict=strict)}


def one(language: str, solution: str, tests: str, *, prompt: str = "") -> Verdict:
    return verdicts(language, [("p", solution, tests)], prompt=prompt)["p"]


def cheating(language: str, cheats: dict[str, Cheat]) -> list[tuple[str, str, str]]:
    return [(name, cheat.solution, cheat.tests or TESTS[language]) for name, cheat in cheats.items()]


def test_these_languages_can_be_judged_strictly() -> None:
    assert set(strict_languages()) == set(CHEATS)


def test_no_cheat_passes(language: str) -> None:
    found = verdicts(language, cheating(language, CHEATS[language]))
    expected = {name: cheat.outcome for name, cheat in CHEATS[language].items()}
    assert {name: verdict.outcome for name, verdict in found.items()} == expected


def test_in_one_process_with_the_tests_the_same_cheats_succeed(language: str) -> None:
    promising = {name: cheat for name, cheat in CHEATS[language].items() if cheat.succeeds}
    found = verdicts(language, cheating(language, promising), strict=False)
    assert [verdict for verdict in found.values() if not verdict.passed] == []


def test_forged_answers_are_broken_answers(language: str) -> None:
    programs = [(name, solutions[language], TESTS[language]) for name, solutions in FORGED.items()]
    found = verdicts(language, programs)
    expected = dict.fromkeys(FORGED, "exception")
    expected |= dict.fromkeys(WRONG_ANSWERS[language], "wrong_answer")
    expected |= {name: "ended_early" for name in FORGED if name.startswith("exit with status 0")}
    assert {name: verdict.outcome for name, verdict in found.items()} == expected


def test_values_arrive(language: str) -> None:
    head = "const assert = require('node:assert');\n" if language == "js" else ""
    programs = [(name, solution, head + tests) for name, (solution, tests) in VALUES[language].items()]
    # Judged by its name, so the prompt has to give it.
    programs = [program for program in programs if program[0] != "is a name of the runtime"]
    found = verdicts(language, programs)
    assert [verdict for verdict in found.values() if not verdict.passed] == []


def test_a_solution_may_have_the_name_of_a_function_of_the_runtime() -> None:
    solution, tests = JAVASCRIPT_VALUES["is a name of the runtime"]
    head, body = solution.split("{", 1)
    tests = "const assert = require('node:assert');\n" + tests
    assert one("js", body, tests, prompt=f"// Adds.\n{head}{{").passed
    assert one("js", solution, tests).outcome == "wrong_answer"


def test_limits_and_failures(language: str) -> None:
    column = ("py", "js").index(language)
    found = verdicts(
        language, [(name, program[column], TESTS[language]) for name, program in FAILING.items()]
    )
    expected = {name: program[2] for name, program in FAILING.items()}
    assert {name: verdict.outcome for name, verdict in found.items()} == expected
    assert found["no program"].stage == "compile"
    assert "SyntaxError" in found["no program"].message
    assert all(verdict.message for verdict in found.values())


def test_messages_show_the_solution_and_the_test_and_nothing_of_ours(language: str) -> None:
    solution, tests = {
        "py": ("def f(x):\n    return undefined_name", "assert f(1) == 2  # here"),
        "js": ("function f() {\n  return undefined_name;\n}", "function here() { f(1); }\nhere();"),
    }[language]
    message = one(language, solution, tests).message
    assert "undefined_name" in message
    assert "here" in message
    assert "main." in message
    assert "strict" not in message
    assert "peer" not in message


def test_helpers_in_the_prompt_are_the_benchmarks() -> None:
    prompt = "def helper(x):\n    return x + 1\n\ndef f(x):\n    '''Inverts helper.'''\n"
    tests = "assert helper(f(3)) == 3\nassert f(1) == 0"
    assert one("py", "    return x - 1", tests, prompt=prompt).passed
    cheat = "    return 0\ndef helper(x):\n    return 3"
    assert one("py", cheat, "assert helper(f(3)) == 3", prompt=prompt).outcome == "wrong_answer"


def test_the_function_that_is_asked_for_comes_from_the_solution() -> None:
    problem = Problem(
        "p", "test", "py", "", "assert sorted(f([2, 1])) == sorted([1, 2])", entry_point="sorted"
    )
    solution = "def sorted(x): return f(x)\ndef f(x): return 0\n"
    [verdict] = judged_warm([(problem, Completion("p", 0, solution))], limits=LIMITS, strict=True)
    assert verdict.passed


@pytest.mark.parametrize("given", ["__import__('sys')", "[__import__('os')]", "{1: memoryview(b'')}"])
def test_what_tests_cannot_hand_over_is_no_wrong_answer(given: str, sandboxed: None) -> None:
    for solution in ("def f(x): return 1", "def f(x): return 2"):
        verdict = one("py", solution, f"assert f({given}) == 1")
        assert (verdict.outcome, "strict mode cannot pass" in verdict.message) == ("strict_unsupported", True)
