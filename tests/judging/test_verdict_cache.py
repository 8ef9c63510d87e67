"""Programs are judged once."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from tests.support.judged import pair
from tests.support.judging import LIMITS

from flextune.errors import FlextuneError
from flextune.judging import Judge, Limits
from flextune.judging import cache as cache_module
from flextune.judging.cache import VerdictCache
from flextune.judging.judgement import Judgement
from flextune.judging.worker import Worker
from flextune.records import Verdict, as_row

PASSED = Judgement("passed", "run", cpu_seconds=0.5)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, sandboxed: None) -> list[str]:
    """The programs that really ran."""
    found: list[str] = []
    real = Worker._judge_once

    def counted(self: Worker, language: object, program: object) -> Judgement:
        found.append(program.source)  # type: ignore[attr-defined]
        return real(self, language, program)  # type: ignore[arg-type]

    monkeypatch.setattr(Worker, "_judge_once", counted)
    return found


def judged(source: str, cache: Path | None, limits: Limits = LIMITS) -> Verdict:
    with Judge(limits=limits, cache=cache) as judge:
        [verdict] = judge.verdicts([pair("py", source, "name", 3)])
    return verdict


def test_a_later_judge_takes_the_verdict_from_the_file(tmp_path: Path, runs: list[str]) -> None:
    first = judged("assert 1", tmp_path / "cache")
    second = judged("assert 1", tmp_path / "cache")
    assert first == second
    assert (second.name, second.sample, second.outcome) == ("name", 3, "passed")
    assert runs == ["assert 1\n"]


def test_other_limits_are_another_program(tmp_path: Path, runs: list[str]) -> None:
    judged("assert 1", tmp_path / "cache")
    judged("assert 1", tmp_path / "cache", Limits(cpu_seconds=2))
    assert len(runs) == 2


def test_a_wall_clock_that_follows_from_the_cpu_limit_is_the_same_limit(
    tmp_path: Path, runs: list[str]
) -> None:
    judged("assert 1", tmp_path / "cache", Limits(cpu_seconds=2))
    judged("assert 1", tmp_path / "cache", Limits(cpu_seconds=2, wall_seconds=12))
    assert len(runs) == 1


def test_a_file_whose_verdicts_name_a_sample_is_still_read(tmp_path: Path) -> None:
    cache = VerdictCache(tmp_path / "cache")
    cache.put(b"1", PASSED)
    cache.close()
    row = json.dumps(as_row(PASSED.verdict("py", "", 0)))
    with sqlite3.connect(tmp_path / "cache") as file:
        file.execute("UPDATE verdicts_2 SET verdict = ?", (row,))
    assert VerdictCache(tmp_path / "cache").get(b"1") == PASSED


def test_without_a_file_nothing_is_kept(runs: list[str]) -> None:
    judged("assert 1", None)
    judged("assert 1", None)
    assert len(runs) == 2


def test_a_fault_is_not_kept(tmp_path: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Judgement("sandbox_fault", "run")
    with monkeypatch.context() as patch:
        patch.setattr(Worker, "judge", lambda *_: fault)
        assert judged("assert 1", tmp_path / "cache").outcome == "sandbox_fault"
    assert judged("assert 1", tmp_path / "cache").passed


def test_memory_holds_the_last_ones_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "CAPACITY", 2)
    cache = VerdictCache()
    for key in (b"1", b"2"):
        cache.put(key, PASSED)
    assert cache.get(b"1") == PASSED  # used last, so kept
    cache.put(b"3", PASSED)
    assert [cache.get(key) for key in (b"1", b"2", b"3")] == [PASSED, None, PASSED]


def test_the_file_holds_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "CAPACITY", 1)
    cache = VerdictCache(tmp_path / "new" / "cache")
    for key in (b"1", b"2"):
        cache.put(key, PASSED)
    assert cache.get(b"1") == PASSED
    cache.close()
    assert cache.get(b"2") == PASSED
    cache.close()


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no database, and longer than a header of one: " * 10)
    with pytest.raises(FlextuneError, match=r"text: cannot be used as a cache of verdicts"):
        VerdictCache(path)
