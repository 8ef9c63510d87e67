from __future__ import annotations

from pathlib import Path

from benchmarks.penalty_numbers import lines

PAGE = Path(__file__).parents[2] / "docs/penalty.md"


def test_the_page_has_the_numbers_that_the_command_prints() -> None:
    text = PAGE.read_text(encoding="utf-8")
    numbers = [number for line in lines() for number in line.rpartition(": ")[2].split(", ")]
    assert len(numbers) == 11
    assert [number for number in numbers if number not in text] == []
