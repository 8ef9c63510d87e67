"""What long work looks like on standard error."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from flextune.cli import terminal
from flextune.cli.terminal import PlainReporter, RichReporter, bars_on
from flextune.judging.settings import with_progress
from flextune.progress import Pace, duration
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


def pace(*reports: tuple[float, int], total: int = 100) -> tuple[str, str]:
    times = iter(seconds for seconds, _ in reports)
    found = Pace(lambda: next(times))
    for _, done in reports:
        found.update(done, total)
    return found.rate, found.left


def test_a_pace_is_of_what_was_done_since_the_start() -> None:
    assert pace((0, 0)) == ("", "")
    assert pace((0, 0), (10, 20)) == ("2/s", "40 s left")
    # A continued stage begins with a part that is done already.
    assert pace((0, 60), (10, 80)) == ("2/s", "10 s left")
    assert pace((0, 0), (10, 100)) == ("10/s", "")
    assert pace((0, 0), (60, 1)) == ("1/min", "1 h 39 min left")
    assert pace((0, 0), (1, 1234), total=10**6)[0] == "1234/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89, "89 s"), (91, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min"), (400_000, "5 days")],
)
def test_a_duration_has_the_unit_that_a_person_plans_with(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_plain_lines_say_how_fast_and_how_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "PLAIN_INTERVAL", -1.0)
    with PlainReporter().stage("work", 3) as stage:
        stage.update(0, 3)
        stage.update(2, 3)
    first, second, last = capsys.readouterr().err.splitlines()
    assert first == "work: 0/3"
    assert second.startswith("work: 2/3, ")
    assert second.endswith("/s, 0 s left")
    assert last.startswith("work: 2/3 (0.0 s, ")


def test_a_bar_fits_into_80_columns_whatever_its_label() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with bars_on(console) as bars, RichReporter(bars).stage("generate " + "arm, " * 40, 16400) as stage:
        stage.update(0, 16400)
        time.sleep(0.1)
        stage.update(16000, 16400, "5210 tokens/s")
        (line,) = console.render_lines(bars.get_renderable())
    shown = "".join(segment.text for segment in line)
    assert len(shown) == 80
    assert "…" in shown
    assert "16000/16400" in shown
    assert "/s, 0 s left 5210 tokens/s" in shown
