"""What long work looks like on standard error."""

from __future__ import annotations

import pytest

from flextune.cli.terminal import PlainReporter
from flextune.judging.settings import with_progress
from flextune.records import Verdict


def half_done() -> None:
    with PlainReporter().stage("work", 3) as stage:
        stage.update(2, 3)
        raise ZeroDivisionError


def test_a_stage_ends_with_a_line_even_when_the_work_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        half_done()
    assert capsys.readouterr().err.startswith("work: 2/3 (")


def test_verdicts_that_nobody_reads_any_more_end_their_stage_and_their_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended = []

    def source():  # type: ignore[no-untyped-def]
        try:
            for number in range(5):
                yield Verdict("p", number, "passed", "run")
        finally:
            ended.append("source")

    watched = with_progress(source(), PlainReporter(), "judge", 7, done=2)
    next(watched)
    next(watched)
    watched.close()
    assert ended == ["source"]
    # The first verdict was dealt with when the second was asked for.
    assert capsys.readouterr().err.startswith("judge: 3/7 (")
