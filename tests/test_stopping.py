from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flextune.stopping import cut_at_stop, tail_tokens, tokens_until_stop

JAVA = "\n    }\n"


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("return 1;\n    }\n}", [JAVA], ("return 1;", True)),
        ("return 1;\n    }", [JAVA], ("return 1;\n    }", False)),
        ("a\ndef b\nclass c", ["\nclass", "\ndef"], ("a", True)),
        ("a", ["\ndef"], ("a", False)),
        ("\ndef", ["\ndef"], ("", True)),
        ("a\n", ["\n"], ("a", True)),
        ("  a  \n\n", ["\ndef", ""], ("  a  \n\n", False)),
        ("", ["\n"], ("", False)),
        ("anything", [], ("anything", False)),
    ],
)
def test_a_text_is_cut_before_its_earliest_stop(
    text: str, stops: list[str], expected: tuple[str, bool]
) -> None:
    assert cut_at_stop(text, stops) == expected


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        # The last line's newline is missing because the model ended there.
        ("return 1;\n    }", [JAVA], ("return 1;", True)),
        ("return 1;\n    }\n", [JAVA], ("return 1;", True)),
        ("return 1;\n        }", [JAVA], ("return 1;\n        }", False)),
        ("return 1;\n    };", [JAVA], ("return 1;\n    };", False)),
        ("a\n", ["\n\n"], ("a", True)),
        # A stop that the missing newline alone makes up takes nothing away.
        ("a", ["\n"], ("a", False)),
        ("", ["\n"], ("", False)),
        # Half a stop is no stop.
        ("a\nfunc", ["\nfunction "], ("a\nfunc", False)),
        ("a\ndef", ["\ndef"], ("a", True)),
    ],
)
def test_eos_ends_the_last_line(text: str, stops: list[str], expected: tuple[str, bool]) -> None:
    assert cut_at_stop(text, stops, ended=True) == expected


@given(st.text("ab\n}", max_size=12), st.lists(st.text("ab\n}", min_size=1, max_size=3), max_size=3))
def test_what_stays_holds_no_stop_and_begins_the_text(text: str, stops: list[str]) -> None:
    for ended in (False, True):
        kept, found = cut_at_stop(text, stops, ended=ended)
        assert text.startswith(kept)
        assert found == (kept != text)
        assert not any(stop in kept for stop in stops)


@given(st.text("ab\n", max_size=12), st.lists(st.text("ab\n", min_size=1, max_size=3), max_size=3))
def test_counting_tokens_finds_the_first_that_completes_a_stop(text: str, stops: list[str]) -> None:
    def decode(ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    ids = [ord(letter) for letter in text]
    holding = [n for n in range(len(ids) + 1) if any(stop in decode(ids[:n]) for stop in stops)]
    assert tokens_until_stop(ids, decode, stops) == min(holding, default=len(ids))


def test_the_tail_covers_the_longest_stop_in_bytes() -> None:
    assert tail_tokens(["\n", "→}"]) == 4
    assert tail_tokens([]) == 0
