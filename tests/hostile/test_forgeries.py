"""Wrong solutions that would be taken for right ones: what is caught, and what is known not to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.hostile import forged_cpp, forged_java, forged_javascript, forged_python
from tests.hostile.attack_cases import LANGUAGES
from tests.hostile.control import can_run, observe
from tests.hostile.forgeries import MARKER, RIGHT, RUNNERS, Forgery, completion, problem
from tests.support.judged import Once, needs_toolchain

from flextune.judging import Limits, judge
from flextune.judging.judge import strict_languages
from flextune.judging.sandbox.limits import MIB
from flextune.records import Verdict

LIMITS = Limits(cpu_seconds=4, wall_seconds=8, memory_bytes=320 * MIB)
CASES = {
    "py": forged_python.CASES,
    "java": forged_java.CASES,
    "js": forged_javascript.CASES,
    "cpp": forged_cpp.CASES,
}
#: Those whose solution and tests can be kept apart.
STRICT = ("py", "js")
Judged = Callable[..., dict[str, Verdict]]
_SOLVED = "a right solution"


def each_forgery(languages: tuple[str, ...]) -> pytest.MarkDecorator:
    pairs = [(language, forgery) for language in languages for forgery in CASES[language]]
    names = [f"{language}-{forgery.name}" for language, forgery in pairs]
    return pytest.mark.parametrize(("language", "forgery"), pairs, ids=names)


@pytest.fixture(scope="session")
def judged(sandboxed: None, once: Once) -> Judged:
    def run(language: str, *, strict: bool = False) -> dict[str, Verdict]:
        needs_toolchain(language)
        return once(f"forged-{language}-{strict}", lambda: judge_all(language, strict=strict))

    return run


def judge_all(language: str, *, strict: bool) -> dict[str, Verdict]:
    given = problem(language)
    answers = [*CASES[language], Forgery(_SOLVED, RIGHT[language], "passed", "passed")]
    pairs = [
        (replace(given, name=answer.name), replace(completion(answer), name=answer.name))
        for answer in answers
    ]
    return {verdict.name: verdict for verdict in judge(pairs, limits=LIMITS, strict=strict)}


@each_forgery(LANGUAGES)
def test_in_one_process_the_outcome_is_as_stated(language: str, forgery: Forgery, judged: Judged) -> None:
    verdict = judged(language)[forgery.name]
    assert verdict.outcome == forgery.outcome, verdict.message


@each_forgery(STRICT)
def test_apart_from_the_tests_every_forgery_is_caught(
    language: str, forgery: Forgery, judged: Judged
) -> None:
    assert language in strict_languages()
    verdict = judged(language, strict=True)[forgery.name]
    assert verdict.outcome == forgery.strict != "passed", verdict.message


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_right_solution_passes(language: str, judged: Judged) -> None:
    assert judged(language)[_SOLVED].passed


@pytest.mark.parametrize("language", STRICT)
def test_a_right_solution_passes_apart_from_the_tests(language: str, judged: Judged) -> None:
    assert judged(language, strict=True)[_SOLVED].passed


@each_forgery(LANGUAGES)
def test_some_judge_is_fooled(language: str, forgery: Forgery, judged: Judged) -> None:
    """A forgery that fools nobody is no case."""
    if forgery.fooled == "default":
        assert judged(language)[forgery.name].passed
        return
    can_run(language)
    runner = RUNNERS[language] if forgery.fooled == "runner" else ""
    seen = observe(language, runner + problem(language).program(forgery.solution))
    fooled = {"exit status": seen.status == 0, "marker": MARKER in seen.output, "runner": seen.told_secret}
    assert fooled[forgery.fooled], seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_naive_judges_are_not_fooled_by_a_wrong_solution_that_does_nothing(language: str) -> None:
    can_run(language)
    wrong = {"py": "    return 0\n", "js": "  return 0;\n}\n", "java": "        return new ArrayList<>();\n"}
    seen = observe(
        language,
        RUNNERS.get(language, "") + problem(language).program(wrong.get(language, "    return 0;\n")),
    )
    assert (seen.status == 0, MARKER in seen.output, seen.told_secret) == (False, False, False)
