"""Descriptions: one sentence made of the steps' wordings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.random import Generator

from flextune.errors import FlextuneError
from flextune.rosetta.composition import Composition, Step

Lexicon = Literal["base", "reserved"]
LEXICONS: tuple[Lexicon, ...] = get_args(Lexicon)

#: Sentence frames per number of steps; ``{A}`` is the first wording with a capital.
FRAMES: dict[int, tuple[str, ...]] = {
    1: ("{A}.",),
    2: ("{A}, then {b}.", "First {a}, then {b}.", "{A} and then {b}."),
    3: ("{A}, then {b}, and finally {c}.", "First {a}, then {b}, and finally {c}."),
}


def describe(composition: Composition, lexicon: Lexicon, rng: Generator) -> str:
    """A description in wordings of one lexicon; ``rng`` picks wordings and frame."""
    frames = FRAMES[len(composition.steps)]
    frame = frames[int(rng.integers(len(frames)))]
    choices = [_wordings(step, lexicon) for step in composition.steps]
    return _sentence(frame, [options[int(rng.integers(len(options)))] for options in choices])


def fixed_description(composition: Composition, lexicon: Lexicon) -> str:
    """The description of an evaluation row: always the same, chosen by a hash of name and lexicon."""
    digest = hashlib.blake2b(f"{lexicon}:{composition.name}".encode(), digest_size=8).digest()
    return describe(composition, lexicon, np.random.default_rng(int.from_bytes(digest, "little")))


def variants(composition: Composition, lexicon: Lexicon) -> Iterator[str]:
    """Every description there is: all frames with all wordings."""
    choices = [_wordings(step, lexicon) for step in composition.steps]
    for frame in FRAMES[len(composition.steps)]:
        for wordings in product(*choices):
            yield _sentence(frame, wordings)


def known_lexicon(lexicon: str) -> Lexicon:
    """The lexicon of that name.

    Raises:
        FlextuneError: If there is none.
    """
    for known in LEXICONS:
        if lexicon == known:
            return known
    raise FlextuneError(f"rosetta: unknown lexicon {lexicon!r} (known: {', '.join(LEXICONS)})")


def _wordings(step: Step, lexicon: Lexicon) -> list[str]:
    wordings = step.operation.base if lexicon == "base" else step.operation.reserved
    return [wording.replace("{k}", str(step.k)) for wording in wordings]


def _sentence(frame: str, wordings: list[str] | tuple[str, ...]) -> str:
    parts = dict(zip("abc", wordings, strict=False))
    return frame.format(A=wordings[0][:1].upper() + wordings[0][1:], **parts)
