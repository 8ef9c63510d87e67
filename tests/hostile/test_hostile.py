"""The right outcome in bounded time, nothing left, nothing touched, the next program unaffected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hostile.attack_cases import LANGUAGES, WORKED, Case
from tests.hostile.hostile_suite import AFTER, CASES, LIMITS, PROGRAMS, Run, judge_language
from tests.support.judged import Once, needs_toolchain

Judged = Callable[[str], Run]
each_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="session")
def judged(sandboxed: None, once: Once, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    def run(language: str) -> Run:
        needs_toolchain(language)
        folder: Path = tmp_path_factory.mktemp("canaries")
        return once(f"judged-{language}", lambda: judge_language(language, folder))

    return run


@pytest.mark.parametrize(
    ("language", "case"), PROGRAMS, ids=[f"{language}-{case.name}" for language, case in PROGRAMS]
)
def test_the_outcome_is_right(language: str, case: Case, judged: Judged) -> None:
    verdict = judged(language).verdicts[case.name]
    assert verdict.outcome in case.right(language), verdict.message
    assert verdict.stage == case.stage
    # What an attack says when it succeeds, and what a file of the host says.
    assert WORKED not in verdict.message
    assert "canary-" not in verdict.message


@each_language
def test_the_next_program_is_unaffected(language: str, judged: Judged) -> None:
    after = {name: verdict for name, verdict in judged(language).verdicts.items() if name.startswith(AFTER)}
    assert len(after) == sum(language in case.programs for case in CASES)
    assert {name: verdict for name, verdict in after.items() if not verdict.passed} == {}


@each_language
def test_no_process_file_mount_or_group_is_left(language: str, judged: Judged) -> None:
    assert judged(language).left == set()


@each_language
def test_no_canary_of_the_host_was_touched(language: str, judged: Judged) -> None:
    assert judged(language).touched == set()


@each_language
def test_what_is_kept_for_later_programs_stays_as_it_was(language: str, judged: Judged) -> None:
    assert not judged(language).cache_changed


@each_language
def test_no_program_outlives_its_limits(language: str, judged: Judged) -> None:
    # One that waits for a busy processor gets four times the wall clock; 12 s are for ending it on a machine
    # that is busy with other things.
    bound = 4 * LIMITS.wall_limit + 12
    slow = [verdict for verdict in judged(language).verdicts.values() if verdict.stage == "run"]
    assert [verdict for verdict in slow if verdict.wall_seconds > bound] == []
