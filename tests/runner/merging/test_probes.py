"""On which problems a merge is audited."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.records import Problem
from flextune.runner.merging.probes import (
    by_setting,
    evenly,
    fallback_problems,
    file_problems,
    run_problems,
)
from flextune.runs.run import Run


def problems(benchmark: str, count: int, language: str = "py") -> list[Problem]:
    return [Problem(f"{benchmark}{n}", benchmark, language, f"p{n}", "") for n in range(count)]


def test_groups_share_the_room_as_far_as_they_reach() -> None:
    groups = [problems("a", 1), problems("b", 5), problems("c", 5)]
    assert [each.name for each in evenly(groups, 7)] == ["a0", "b0", "b1", "b2", "c0", "c1", "c2"]
    assert len(evenly(groups, 100)) == 11


def test_an_adapter_is_posed_its_own_runs_problems(tmp_path: Path) -> None:
    run = Run(tmp_path)
    adapter = run.trained("k").adapter
    adapter.mkdir(parents=True)
    run.generated("1").begin({"training": "k"}, problems("a", 3))
    run.generated("2").begin({"training": "k"}, problems("b", 3))
    run.generated("3").begin({"training": "other"}, problems("c", 3))
    assert [each.name for each in run_problems(adapter, 4)] == ["a0", "a1", "b0", "b1"]
    assert run_problems(tmp_path, 4) == []


def test_prompts_of_a_file(tmp_path: Path) -> None:
    lines = tmp_path / "prompts.txt"
    lines.write_text("one\n\ntwo\n")
    assert [(p.name, p.prompt) for p in file_problems(lines, None)] == [
        ("prompts.txt:1", "one"),
        ("prompts.txt:3", "two"),
    ]
    rows = tmp_path / "prompts.jsonl"
    rows.write_text('{"prompt": "a\\nb"}\n')
    assert [p.prompt for p in file_problems(rows, 5)] == ["a\nb"]
    rows.write_text('{"text": "a"}\n')
    with pytest.raises(FlextuneError, match=r'prompts.jsonl:1: missing field "prompt"'):
        file_problems(rows, None)
    lines.write_text("\n")
    with pytest.raises(FlextuneError, match="holds no prompt"):
        file_problems(lines, None)


def test_without_a_run_the_embedded_benchmark_is_posed() -> None:
    assert [group[0].language for group in by_setting(fallback_problems(4))] == ["java", "py"]
