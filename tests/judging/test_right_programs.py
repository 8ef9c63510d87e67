"""Right programs pass that ask for what every machine has, or are run as their tools run them."""

from __future__ import annotations

import pytest
from tests.judging.right_programs import MACHINE, PLAIN
from tests.support.judged import judged_warm, needs_toolchain

from flextune.judging import Limits
from flextune.records import Case, Completion, Problem

LIMITS = Limits(cpu_seconds=10)


def cases_of(programs: dict[str, tuple[str, ...]]) -> pytest.MarkDecorator:
    pairs = [(values[0], name) for name, values in programs.items()]
    return pytest.mark.parametrize(("language", "name"), pairs, ids=[name for _, name in pairs])


@cases_of({**MACHINE})
def test_what_every_machine_has_is_there(language: str, name: str, sandboxed: None) -> None:
    needs_toolchain(language)
    _, prompt, solution, tests = MACHINE[name]
    problem = Problem(name, "test", language, prompt, tests)
    [verdict] = judged_warm([(problem, Completion(name, 0, solution))], limits=LIMITS)
    assert verdict.passed, verdict


@cases_of({**PLAIN})
def test_a_program_with_cases_is_run_as_its_tools_run_it(language: str, name: str, sandboxed: None) -> None:
    needs_toolchain(language)
    problem = Problem(name, "test", language, "", "", cases=(Case("3\n", "6\n"),))
    [verdict] = judged_warm([(problem, Completion(name, 0, PLAIN[name][1]))], limits=LIMITS)
    assert verdict.passed, verdict


@pytest.mark.parametrize("size", [0, 70_000, 3_000_000])
def test_input_of_any_size_arrives(size: int, sandboxed: None) -> None:
    problem = Problem("p", "test", "py", "", "", cases=(Case("x" * size, str(size)),))
    source = "import sys\nprint(len(sys.stdin.read()))\n"
    [verdict] = judged_warm([(problem, Completion("p", 0, source))], limits=LIMITS)
    assert verdict.passed, verdict
