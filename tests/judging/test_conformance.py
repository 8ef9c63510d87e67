"""Every language gives every kind of program the same outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judging import conformance_compiled, conformance_interpreted, conformance_programs
from tests.judging.conformance_programs import OUTCOMES, PROTECTIONS
from tests.support.judged import Once, needs_toolchain, pair
from tests.support.judging import LIMITS, filled

from flextune.judging import judge
from flextune.judging.languages import languages
from flextune.records import Verdict

pytestmark = pytest.mark.slow

PROGRAMS = {
    **conformance_programs.PROGRAMS,
    **conformance_compiled.PROGRAMS,
    **conformance_interpreted.PROGRAMS,
}
#: A kernel that looks for memory where none is left uses the time of the program that asked for it.
TO_FILL_MEMORY = replace(LIMITS, cpu_seconds=8, wall_seconds=12)
#: What some languages cannot express: in three, memory ends before recursion does, and a shell takes long for
#: it; R does not close its standard output.
INEXPRESSIBLE = {
    **{name: {"deep recursion"} for name in ("php", "pl", "rkt", "sh")},
    "r": {"closed standard output"},
}
#: What limits alone take care of.
LIMITED = ("right answer", "infinite loop", "sleep", "flood of standard output", "exit 0 before the tests")


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def language(request: pytest.FixtureRequest) -> str:
    needs_toolchain(request.param)
    return request.param


@pytest.fixture(scope="module")
def verdicts(language: str, sandboxed: None, host: dict[str, str], once: Once) -> dict[str, Verdict]:
    def judged() -> dict[str, Verdict]:
        pairs = [pair(language, filled(source, host), name) for name, source in PROGRAMS[language].items()]
        bombs = [one for one in pairs if one[1].name == "memory bomb"]
        others = [one for one in pairs if one not in bombs]
        found = [*judge(others, limits=LIMITS), *judge(bombs, limits=TO_FILL_MEMORY)]
        return {verdict.name: verdict for verdict in found}

    return once(f"conformance-{language}", judged)


@pytest.fixture(scope="module")
def unprotected(language: str, host: dict[str, str], once: Once) -> dict[str, Verdict]:
    """Verdicts of a judge that isolates nothing."""

    def judged() -> dict[str, Verdict]:
        names = [*PROTECTIONS, *LIMITED]
        pairs = [pair(language, filled(PROGRAMS[language][name], host), name) for name in names]
        return {verdict.name: verdict for verdict in judge(pairs, limits=LIMITS, sandbox=False)}

    return once(f"unprotected-{language}", judged)


def test_every_language_has_every_program() -> None:
    assert set(PROGRAMS) == set(languages())
    for name, programs in PROGRAMS.items():
        assert set(programs) == set(OUTCOMES) - INEXPRESSIBLE.get(name, set()), name


@pytest.mark.parametrize("case", OUTCOMES)
def test_outcome(case: str, language: str, verdicts: dict[str, Verdict]) -> None:
    if case in INEXPRESSIBLE.get(language, ()):
        pytest.skip(f"{language} cannot express it")
    verdict = verdicts[case]
    assert verdict.outcome == OUTCOMES[case], verdict
    assert verdict.stage == ("compile" if verdict.outcome == "compile_error" else "run")


def test_messages_name_the_error(verdicts: dict[str, Verdict]) -> None:
    for name in ("wrong answer", "uncaught exception", "syntax error"):
        assert verdicts[name].message, name
    assert all(len(verdict.message) <= 2000 for verdict in verdicts.values())


def test_usage_is_measured(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["infinite loop"].cpu_seconds >= LIMITS.cpu_seconds
    assert verdicts["sleep"].wall_seconds >= LIMITS.wall_limit
    assert verdicts["sleep"].cpu_seconds < LIMITS.cpu_seconds
    assert verdicts["memory bomb"].peak_memory_bytes > verdicts["right answer"].peak_memory_bytes


def test_without_a_sandbox_the_same_programs_reach_the_host(unprotected: dict[str, Verdict]) -> None:
    outcomes = {name: unprotected[name].outcome for name in PROTECTIONS}
    assert set(outcomes.values()) <= {"wrong_answer", "exception"}, outcomes


def test_limits_hold_without_a_sandbox(unprotected: dict[str, Verdict]) -> None:
    outcomes = {name: unprotected[name].outcome for name in LIMITED}
    assert outcomes == {name: OUTCOMES[name] for name in LIMITED}
