"""What is kept of a long message."""

from __future__ import annotations

import pytest

from flextune.judging.languages.base import MESSAGE_CHARACTERS, ends


def test_a_short_message_stays_as_it_is() -> None:
    assert ends(b"\nTypeError: no\n") == "TypeError: no"
    assert ends(b"x" * MESSAGE_CHARACTERS) == "x" * MESSAGE_CHARACTERS


@pytest.mark.parametrize("line", ["  File 'a.py'", "über 10 €"])
def test_the_first_and_the_last_line_of_a_long_message_are_kept(line: str) -> None:
    lines = ["Main.java:3: error: first", *[f"{line}, {number}" for number in range(900)], "TypeError: last"]
    kept = ends("\n".join(lines).encode()).splitlines()
    assert (kept[0], kept[-1]) == (lines[0], lines[-1])
    assert kept.count("[...]") == 1
    # Nothing begins or ends in the middle of a line.
    assert set(kept) - {"[...]"} <= set(lines)
    assert len("\n".join(kept)) <= MESSAGE_CHARACTERS


def test_one_long_line_keeps_both_ends() -> None:
    kept = ends(b"begin" + b"-" * 100_000 + b"end")
    assert kept.startswith("begin")
    assert kept.endswith("end")
    assert len(kept) <= MESSAGE_CHARACTERS
