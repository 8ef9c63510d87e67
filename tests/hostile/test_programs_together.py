"""Programs that run at the same time do not meet."""

from __future__ import annotations

import pytest
from tests.hostile.attack_cases import LANGUAGES, RIGHT, WORKED
from tests.hostile.attacks_together import MEETINGS, Meeting
from tests.hostile.control import can_run, observe
from tests.hostile.hostile_suite import LIMITS
from tests.support.judged import needs_toolchain, pair

from flextune.judging import language as language_of
from flextune.judging.judge import Judge

each_meeting = pytest.mark.parametrize(
    ("language", "meeting"),
    [(language, meeting) for language in LANGUAGES for meeting in MEETINGS],
    ids=[f"{language}-{meeting.name}" for language in LANGUAGES for meeting in MEETINGS],
)


@each_meeting
def test_in_the_sandbox_they_do_not_meet(language: str, meeting: Meeting, sandboxed: None) -> None:
    needs_toolchain(language)
    with Judge(limits=LIMITS, workers=2) as judge:
        # Both workers are warm before the two start.
        comment = language_of(language).comment
        warm = [pair(language, f"{RIGHT[language]}{comment} {n}\n", f"{n}") for n in range(4)]
        assert all(verdict.passed for verdict in judge.verdicts(warm))
        both = [
            pair(language, meeting.waits[language], "waits"),
            pair(language, meeting.comes[language], "comes"),
        ]
        assert {verdict.name: verdict.outcome for verdict in judge.verdicts(both)} == {
            "waits": "passed",
            "comes": "passed",
        }


@each_meeting
def test_without_a_sandbox_they_meet(language: str, meeting: Meeting) -> None:
    can_run(language)
    seen = observe(language, meeting.waits[language], beside=meeting.comes[language])
    assert WORKED in seen.output + seen.next_output, seen
