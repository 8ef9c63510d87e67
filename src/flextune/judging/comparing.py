"""Whether a program printed what it should: words line by line, numbers within a tolerance."""

from __future__ import annotations

import decimal
import itertools
import re
from collections.abc import Iterator
from functools import partial

from flextune.errors import FlextuneError

#: How far a printed number may be from an expected fraction, absolutely or relative to it.
TOLERANCE = 1e-6
#: Characters of a line that a message shows.
_SHOWN = 300

# A leading zero or plus makes it a text: "0011" is not "11".
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
# What languages print for floats that are no numbers.
_INFINITE = re.compile(r"([-+]?)(?:inf|Inf|INF|Infinity|infinity)")
_NOT_A_NUMBER = re.compile(r"-?(?:nan|NaN|NAN)(?:\(ind\))?")
# Marks that may stand beside a number in one word: "[0.5," and "x=0.5".
_MARKS = re.compile(r"([\[\](){}<>,;:=|]+)")
# Nothing in it raises, and every exponent has room.
_ARITHMETIC = decimal.Context(prec=50, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])


def same_output(expected: str, printed: str, tolerance: float = TOLERANCE) -> bool:
    """Whether two outputs have the same words in the same lines.

    Spaces within and around a line do not count, nor do blank lines at the end. Two words are the same if
    their texts are, or if ``same_word`` says so.

    Args:
        expected: What a program should print.
        printed: What it printed.
        tolerance: As for ``same_word``; 0 compares texts alone.
    """
    return next(_differences(expected, printed, tolerance), None) is None


def first_difference(expected: str, printed: str, tolerance: float = TOLERANCE) -> tuple[str, str]:
    """The first line in which two outputs differ, from each; empty texts where they do not."""
    ours, theirs = next(_differences(expected, printed, tolerance), ([], []))
    return " ".join(ours)[:_SHOWN], " ".join(theirs)[:_SHOWN]


def checked_tolerance(tolerance: float) -> float:
    """The tolerance itself.

    Raises:
        FlextuneError: It is no number from 0 to below 1.
    """
    if not 0 <= tolerance < 1:
        raise FlextuneError(f"tolerance: {tolerance} is not from 0 to below 1 (0 compares texts alone)")
    return float(tolerance)


def same_word(expected: str, printed: str, tolerance: float = TOLERANCE) -> bool:
    """Whether two words mean the same.

    - An expected integer must be printed with exactly its value: ``3``, ``3.0`` and ``3e0`` are one.
    - For any other expected number the printed one may be ``tolerance`` away, absolutely or relative to the
      expected one, whichever allows more.
    - Infinities and nan are the same however a language spells them.
    - Brackets and separators in a word split it: its other parts are compared alone, the marks as text.

    All else is text, upper and lower case included. The time is linear in the words' length.

    Args:
        expected: A word that a program should print.
        printed: The word that it printed.
        tolerance: 0 compares texts alone.
    """
    if expected == printed:
        return True
    if tolerance == 0:
        return False
    ours, theirs = _MARKS.split(expected), _MARKS.split(printed)
    return len(ours) == len(theirs) and all(
        one == other or _same_number(one, other, tolerance) for one, other in zip(ours, theirs, strict=True)
    )


def _same_number(expected: str, printed: str, tolerance: float) -> bool:
    if _NUMBER.fullmatch(expected):
        return _NUMBER.fullmatch(printed) is not None and _near(expected, printed, tolerance)
    if ours := _INFINITE.fullmatch(expected):
        theirs = _INFINITE.fullmatch(printed)
        return theirs is not None and (ours[1] == "-") == (theirs[1] == "-")
    return bool(_NOT_A_NUMBER.fullmatch(expected) and _NOT_A_NUMBER.fullmatch(printed))


def _near(expected: str, printed: str, tolerance: float) -> bool:
    # Decimals, because floats make 10**18 + 1 of 10**18, and because they are read in linear time.
    ours, theirs = (decimal.Decimal(text, _ARITHMETIC) for text in (expected, printed))
    if _INTEGER.fullmatch(expected) or ours == theirs:
        return ours == theirs
    distance = _ARITHMETIC.abs(_ARITHMETIC.subtract(ours, theirs))
    size = _ARITHMETIC.max(_ARITHMETIC.abs(ours), decimal.Decimal(1))
    reach = _ARITHMETIC.multiply(decimal.Decimal(repr(tolerance)), size)
    # An exponent without room makes nan of everything, and nan is not near.
    return _ARITHMETIC.compare(distance, reach) in (-1, 0)


def _differences(expected: str, printed: str, tolerance: float) -> Iterator[tuple[list[str], list[str]]]:
    same = partial(same_word, tolerance=tolerance)
    lines = itertools.zip_longest(_lines(expected), _lines(printed), fillvalue=None)
    for ours, theirs in lines:
        if ours == theirs:
            continue
        first, second = (ours or "").split(), (theirs or "").split()
        # A line that is not there is no blank line.
        missing = ours is None or theirs is None
        if missing or len(first) != len(second) or not all(map(same, first, second)):
            yield first, second


def _lines(text: str) -> list[str]:
    return text.rstrip().splitlines()
