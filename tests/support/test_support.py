"""What the tests' own helpers promise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import judged, sharing
from tests.support.judged import KEPT, judged_warm, needs_toolchain, pair

from flextune.judging import Limits

TESTS = Path(__file__).parents[1]


def test_no_test_module_imports_another() -> None:
    importing = re.compile(r"^\s*(?:from|import) tests\.\S*\b(?:test_\w+|conftest)\b", re.MULTILINE)
    files = [file for file in TESTS.rglob("*.py") if importing.search(file.read_text(encoding="utf-8"))]
    assert files == []


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("tests/data/test_mbpp.py::test_x[a-b]", "tests/data/test_mbpp.py"),
        (
            "tests/judging/test_conformance.py::test_outcome[rs-sleep]",
            "tests/judging/test_conformance.py[rs]",
        ),
        (
            "tests/judging/test_conformance.py::test_usage_is_measured[rs]",
            "tests/judging/test_conformance.py[rs]",
        ),
        ("tests/judging/test_conformance.py::test_every_language", "tests/judging/test_conformance.py"),
        ("tests/hostile/test_forgeries.py::test_x[py-leaves]", "computes"),
        ("tests/runner/test_kill.py::test_x", "processes"),
    ],
)
def test_the_tests_of_a_module_or_of_a_block_are_a_group(name: str, group: str) -> None:
    assert sharing.group(name) == group


def test_every_module_with_rules_of_its_own_is_there() -> None:
    modules = {*sharing.BLOCKS, *sharing.TOGETHER, *(name.partition("[")[0] for name in sharing.LONG)}
    groups = set(sharing.TOGETHER.values())
    assert [name for name in modules - groups if not (TESTS.parent / name).is_file()] == []


def test_a_compiler_is_for_marked_tests_alone() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"must be marked: @pytest\.mark\.toolchain"):
        needs_toolchain("java")


@pytest.fixture
def judges(sandboxed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[object, object]]:
    """Kept judges: none yet, and closed at the end."""
    empty: dict[object, object] = {}
    with monkeypatch.context() as patch:
        patch.setattr(judged, "_judges", empty)
        yield empty
        judged.close_judges()


def test_a_judge_with_the_same_settings_is_kept(judges: dict[object, object]) -> None:
    for number in range(2):
        assert judged_warm([pair("py", f"assert {number} < 2")], workers=1)[0].passed
    assert len(judges) == 1


def test_the_judge_that_was_used_longest_ago_is_closed(judges: dict[object, object]) -> None:
    for seconds in [*range(1, KEPT + 1), 1, KEPT + 1]:
        judged_warm([], limits=Limits(cpu_seconds=seconds), workers=1)
    kept = [settings[0][1].cpu_seconds for settings in judges]
    assert kept == [*range(3, KEPT + 1), 1, KEPT + 1]
