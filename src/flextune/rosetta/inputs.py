"""Random inputs of each kind, such that operations can be told apart on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.random import Generator

from flextune.rosetta.operations import KINDS, Kind

_WORDS = """
apple arrow ball bee book coffee dog egg eel fox fuzz goose green hill ice igloo jazz kite letter moon
noon oak onion otter pool queen ruby sea soon tree uncle upper vase wall yellow zebra a ox it an sun
"""

#: Short words; many have doubled letters or start with a vowel.
VOCABULARY = tuple(_WORDS.split())

LETTERS = "aabcdeefghiijklmnoopqrsstuuvwxyz"

#: Inputs on which behaviour is compared: this many blocks of ``BLOCK`` inputs of each kind.
BLOCKS, BLOCK = 2, 200

_SEED = 20_240_601


def draw(kind: Kind, rng: Generator) -> Any:
    """One random input of a kind; all randomness comes from ``rng``."""
    return _DRAW[kind](rng)


@cache
def pool(kind: Kind, block: int) -> tuple[Any, ...]:
    """The ``BLOCK`` fixed inputs of one block, the same in every process; not to be changed in place."""
    rng = np.random.default_rng((_SEED, KINDS.index(kind), block))
    return tuple(draw(kind, rng) for _ in range(BLOCK))


def _int(rng: Generator) -> int:
    span = rng.random()
    if span < 0.04:
        return 0
    if span < 0.55:
        return _between(rng, 1, 60)
    if span < 0.92:
        return _between(rng, 61, 500)
    return _between(rng, 501, 5000)


def _ints(rng: Generator) -> list[int]:
    low, high = ((-9, 20), (-9, 20), (1, 20), (0, 9))[_between(rng, 0, 3)]
    values: list[int] = []
    for _ in range(_length(rng, 8)):
        choice = rng.random()
        if values and choice < 0.16:
            values.append(values[-1])
        elif values and choice < 0.28:
            values.append(_pick(rng, values))
        elif choice < 0.36 and low <= 0:
            values.append(0)
        else:
            values.append(_between(rng, low, high))
    return values


def _word(rng: Generator) -> str:
    if rng.random() < 0.7:
        return _pick(rng, VOCABULARY)
    letters = ""
    for _ in range(_between(rng, 1, 5)):
        letters += letters[-1] if letters and rng.random() < 0.3 else _pick(rng, LETTERS)
    return letters


def _text(rng: Generator) -> str:
    words = [_cased(rng, _word(rng)) for _ in range(_between(rng, 1, 4))]
    if rng.random() < 0.45:
        place = _between(rng, 0, len(words) - 1)
        number = str(_between(rng, 1, 99))
        words[place] = number if rng.random() < 0.4 else words[place] + number
    return " ".join(words)


def _cased(rng: Generator, word: str) -> str:
    choice = rng.random()
    if choice < 0.65:
        return word
    if choice < 0.85:
        return word.capitalize()
    return "".join(letter.upper() if rng.random() < 0.5 else letter for letter in word)


def _words(rng: Generator) -> list[str]:
    words: list[str] = []
    for _ in range(_length(rng, 6)):
        repeats = words and rng.random() < 0.25
        words.append(_pick(rng, words) if repeats else _word(rng))
    return words


def _counts(rng: Generator) -> dict[str, int]:
    keys = [_word(rng) for _ in range(_between(rng, 1, 6))]
    return {key: _between(rng, 0, 9) for key in keys}


def _length(rng: Generator, most: int) -> int:
    """Mostly 3 to ``most``; now and then shorter or empty."""
    return _between(rng, 3, most) if rng.random() < 0.88 else _between(rng, 0, 2)


def _between(rng: Generator, low: int, high: int) -> int:
    """A plain ``int``, both ends included."""
    return int(rng.integers(low, high + 1))


def _pick(rng: Generator, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


_DRAW: Mapping[Kind, Callable[[Generator], Any]] = {
    "int": _int,
    "ints": _ints,
    "text": _text,
    "words": _words,
    "counts": _counts,
}
