"""Without a sandbox every attack is seen to work: a case that cannot fail is no case."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.hostile.attack_cases import LANGUAGES, RIGHT, Case
from tests.hostile.control import EVIDENCE, can_run, control, observe
from tests.hostile.hostile_suite import CASES, LIMITS, PROGRAMS
from tests.hostile.naive import Observation
from tests.support.judged import Once

Observed = Callable[[str], dict[str, Observation]]
CONTROLLED = [(language, case) for language, case in PROGRAMS if not case.uncontrolled]
#: Controls at once; most of them wait.
AT_ONCE = 3
#: What a right program shows too; as evidence it is something else than what a judge should have seen.
_HARMLESS = {"exit status 0", "quiet"}


@pytest.fixture(scope="session")
def observed(once: Once) -> Observed:
    def run(language: str) -> dict[str, Observation]:
        can_run(language)
        cases = [case for name, case in CONTROLLED if name == language]
        return once(f"controls-{language}", lambda: control_all(language, cases))

    return run


def control_all(language: str, cases: list[Case]) -> dict[str, Observation]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        seen = threads.map(lambda case: control(case, language), cases)
        return {case.name: observation for case, observation in zip(cases, seen, strict=True)}


@pytest.mark.parametrize(
    ("language", "case"), CONTROLLED, ids=[f"{language}-{case.name}" for language, case in CONTROLLED]
)
def test_without_a_sandbox_the_attack_works(language: str, case: Case, observed: Observed) -> None:
    if case.needs_superuser and os.geteuid():
        pytest.skip("only the superuser can do this anywhere")
    seen = observed(language)[case.name]
    assert EVIDENCE[case.shown_by(language)](seen), seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_right_program_shows_no_evidence(language: str) -> None:
    can_run(language)
    seen = observe(language, RIGHT[language], after=RIGHT[language])
    assert seen.status == 0
    assert [name for name, shown in EVIDENCE.items() if shown(seen) and name not in _HARMLESS] == []


def test_every_case_is_there_in_every_language_or_says_why_not() -> None:
    assert [case.name for case in CASES if {*case.programs, *case.without} != set(LANGUAGES)] == []
    assert [case.name for case in CASES if {*case.programs} & {*case.without}] == []


def test_every_case_has_a_control_or_says_why_not() -> None:
    assert [case.name for language, case in CONTROLLED if case.shown_by(language) not in EVIDENCE] == []
    assert len([case for case in CASES if case.uncontrolled]) < 4


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.skipif(os.geteuid() != 0, reason="the kernel exempts the superuser alone")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_limit_on_processes_alone_does_not_bind_the_superuser(language: str) -> None:
    can_run(language)
    [bomb] = [case for case in CASES if case.name == "fork bomb"]
    assert EVIDENCE["word"](observe(language, bomb.programs[language], processes=LIMITS.processes))
