"""Wrong solutions after which the tests are not what is run: none passes, in any language."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.hostile import endings_compiled as compiled
from tests.hostile import endings_interpreted as interpreted
from tests.hostile.endings import Frame
from tests.support.judged import Once, needs_toolchain

from flextune.judging import Limits, judge
from flextune.judging.languages import languages
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict

FRAMES: dict[str, Frame] = {
    "cpp": compiled.CPP, "cs": compiled.CS, "d": compiled.D, "go": compiled.GO, "java": compiled.JAVA,
    "js": interpreted.JS, "lua": interpreted.LUA, "php": interpreted.PHP, "pl": interpreted.PL,
    "py": interpreted.PY, "r": interpreted.R, "rb": interpreted.RB, "rkt": interpreted.RKT, "rs": compiled.RS,
    "scala": compiled.SCALA, "sh": interpreted.SH,
}  # fmt: skip
CASES = [(language, name) for language, frame in FRAMES.items() for name in frame.endings]
LIMITS = Limits(cpu_seconds=5)
Judged = Callable[[str], dict[str, Verdict]]


@pytest.fixture(scope="module")
def judged(sandboxed: None, once: Once) -> Judged:
    """Verdicts on every ending of a language, on its right solution and on its wrong one."""

    def run(language: str) -> dict[str, Verdict]:
        frame = FRAMES[language]
        pairs = [frame.pair(language, name) for name in frame.endings]
        for name in ("right", "wrong"):
            problem = Problem(name, "hostile", language, frame.prompt, frame.tests)
            pairs.append((problem, Completion(name, 0, getattr(frame, name))))
        return {verdict.name: verdict for verdict in judge(pairs, limits=LIMITS)}

    def look_up(language: str) -> dict[str, Verdict]:
        needs_toolchain(language)
        return once(f"endings-{language}", lambda: run(language))

    return look_up


@pytest.fixture(scope="module")
def plain(sandboxed: None, once: Once) -> Judged:
    """What a judge sees that trusts the exit status: "wrong_answer" for status 0, as nothing is printed."""

    def run(language: str) -> dict[str, Verdict]:
        frame = FRAMES[language]
        pairs = [frame.plain(language, name) for name in frame.endings]
        return {verdict.name: verdict for verdict in judge(pairs, limits=LIMITS)}

    def look_up(language: str) -> dict[str, Verdict]:
        needs_toolchain(language)
        return once(f"plain-endings-{language}", lambda: run(language))

    return look_up


def test_every_language_has_endings() -> None:
    # TypeScript is run as JavaScript.
    assert set(FRAMES) | {"ts"} == set(languages())


@pytest.mark.parametrize(("language", "name"), CASES)
def test_no_ending_passes(language: str, name: str, judged: Judged) -> None:
    verdict = judged(language)[name]
    assert verdict.outcome not in ("passed", *UNKNOWN_OUTCOMES), verdict


@pytest.mark.parametrize(("language", "name"), CASES)
def test_a_judge_that_trusts_the_exit_status_is_fooled(language: str, name: str, plain: Judged) -> None:
    """An ending that fools nobody is no case."""
    verdict = plain(language)[name]
    assert (verdict.outcome, verdict.message[:17]) == ("wrong_answer", "case 1: expected "), verdict


@pytest.mark.parametrize("language", FRAMES)
def test_a_right_solution_passes_and_a_wrong_one_does_not(language: str, judged: Judged) -> None:
    verdicts = judged(language)
    assert verdicts["right"].passed, verdicts["right"]
    assert not verdicts["wrong"].passed
