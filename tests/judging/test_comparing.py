"""What counts as the expected output: words line by line, numbers within a tolerance."""

from __future__ import annotations

import pytest

from flextune.errors import FlextuneError
from flextune.judging.comparing import checked_tolerance, first_difference, same_output, same_word

SAME = [
    ("0.3333333333333333", "0.333333333333"),
    ("2.5", "2.50000"),
    ("0.00001", "1e-05"),
    ("1e-5", "0.00001"),
    ("1.0", "1"),
    ("3", "3.0"),
    ("1e18", "1000000000000000001"),
    ("0.0", "-0.0"),
    ("0", "-0"),
    ("0.0", "0.000001"),
    ("inf", "Infinity"),
    ("-Infinity", "-inf"),
    ("nan", "NaN"),
    ("[0.5, 1.25]", "[0.50, 1.2500001]"),
    ("x=1.50;", "x=1.5;"),
    ("a b\nc", "a  b \nc\n\n"),
    ("a\r\nb\r\n", "a\nb"),
    ("", "\n"),
]
OTHER = [
    ("1000000000000000000", "1000000000000000001"),
    ("1000000000000000000", "1000000000000000001.0"),
    ("1000000007", "1000000006.9999999"),
    ("5", "5.0000001"),
    ("0011", "11"),
    ("11", "0011"),
    ("+5", "5"),
    ("1.5", "1.50001"),
    ("1000000.0", "1000001.1"),
    ("1.5", "1,5"),
    ("1.2.3", "1.2.30"),
    ("inf", "-inf"),
    ("1.5", "nan"),
    ("YES", "Yes"),
    ("True", "true"),
    ("a\n\nb", "a\nb"),
    ("\na", "a"),
    ("1 2", "1\n2"),
    ("[1, 2]", "[1,2]"),
    ("a", ""),
    ("", "a"),
    ("1e999999999999999999999", "2e999999999999999999999"),
    ("1.5", "\u0661.\u0665"),
    ("\ufffd", "\udcff"),
]


@pytest.mark.parametrize(("expected", "printed"), SAME)
def test_the_same_output_in_other_words(expected: str, printed: str) -> None:
    assert same_output(expected, printed)
    assert first_difference(expected, printed) == ("", "")


@pytest.mark.parametrize(("expected", "printed"), OTHER)
def test_another_output(expected: str, printed: str) -> None:
    assert not same_output(expected, printed)
    assert not same_output(expected, printed, 0)


@pytest.mark.parametrize(("expected", "printed"), [pair for pair in SAME[:11] if pair[0] != pair[1]])
def test_without_a_tolerance_texts_are_compared(expected: str, printed: str) -> None:
    assert not same_word(expected, printed, 0)


def test_the_tolerance_is_absolute_or_relative_whichever_allows_more() -> None:
    assert same_word("0.001", "0.0011", 1e-3)
    assert same_word("2000.5", "2001.5", 1e-3)
    assert not same_word("0.001", "0.0031", 1e-3)
    assert not same_word("2000.5", "2003.5", 1e-3)


@pytest.mark.parametrize("length", [10**6])
def test_a_number_of_a_million_digits_is_compared_exactly(length: int) -> None:
    # Integers of Python's own would need minutes, or refuse.
    assert not same_word("1" * length, "1" * (length - 1) + "2")
    assert same_word("1" * length, "1" * length + ".0")


def test_the_first_difference_is_a_line_of_each() -> None:
    assert first_difference("1\n2\n3", "1\nx") == ("2", "x")
    assert first_difference("1\n2", "1") == ("2", "")
    assert first_difference("1.0\n2", "1\n3") == ("2", "3")


@pytest.mark.parametrize("tolerance", [-1e-6, 1, float("nan")])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(FlextuneError, match="from 0 to below 1"):
        checked_tolerance(tolerance)
