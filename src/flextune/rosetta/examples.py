"""Rosetta's fine-tuning split: Python rows of MBPP's format, and examples of any language."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from flextune.records import Example
from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import by_operation
from flextune.rosetta.languages import LANGUAGES, Language
from flextune.rosetta.languages.base import IDIOMATIC, PLAIN
from flextune.rosetta.rows import known_language
from flextune.rosetta.splits import compositions
from flextune.rosetta.testing import some_cases
from flextune.rosetta.wording import describe, known_lexicon

#: Size of the training set.
LESSONS = 2400

#: Every solution has a variant in each.
STYLES = (PLAIN, IDIOMATIC)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One problem in words, with the style of its solution and cases that it passes."""

    composition: Composition
    description: str
    style: int
    cases: tuple[tuple[Any, Any], ...]


def is_held_out(program: Composition) -> bool:
    """Whether a problem of the fine-tuning split belongs to the validation set: one in twelve does."""
    return zlib.crc32(program.name.encode()) % 12 == 0


def lessons(
    lexicon: str,
    seed: int,
    limit: int | None = None,
    *,
    steps: int | None = 2,
    validation: bool = False,
) -> Iterator[Lesson]:
    """Problems of the fine-tuning split in random words, ``LESSONS`` of them by default.

    Each round draws one problem for every operation: those that fit in few places are taught as often as
    the others. A problem may come again, mostly in other words.

    Args:
        lexicon: ``base`` or ``reserved``; no wording of the other one occurs.
        seed: Decides order, wordings, styles and cases.
        limit: How many lessons.
        steps: Steps of the programs; None for all there are.
        validation: The problems that training never sees, instead of those it does.

    Raises:
        FlextuneError: For an unknown lexicon.
    """
    words = known_lexicon(lexicon)
    rng = np.random.default_rng(seed)
    found = (c for c in compositions("fine-tuning", steps) if is_held_out(c) == validation)
    groups = by_operation(tuple(found))
    turns = (int(i) for _ in count() for i in rng.permutation(len(groups)))
    for turn in islice(turns, LESSONS if limit is None else limit):
        program = groups[turn][int(rng.integers(len(groups[turn])))]
        description, style = describe(program, words, rng), STYLES[int(rng.integers(len(STYLES)))]
        yield Lesson(program, description, style, tuple(some_cases(program, rng)))


def training_rows(
    lexicon: str = "reserved", seed: int = 0, limit: int | None = None, *, validation: bool = False
) -> list[dict[str, Any]]:
    """Python training data in MBPP's format.

    Posed as a docstring (signature, then the text), a row gives Rosetta's own Python prompt.

    Raises:
        FlextuneError: For an unknown lexicon.
    """
    found = lessons(lexicon, seed, limit, validation=validation)
    return [_mbpp_row(number, lesson) for number, lesson in enumerate(found, start=1)]


def _mbpp_row(number: int, lesson: Lesson) -> dict[str, Any]:
    return {
        "text": lesson.description,
        "code": python_code(lesson.composition, lesson.style),
        "task_id": number,
        "test_setup_code": "",
        "test_list": asserts(lesson.cases),
        "challenge_test_list": [],
    }


def examples(
    language: str,
    lexicon: str = "base",
    seed: int = 0,
    limit: int | None = None,
    *,
    validation: bool = False,
) -> list[Example]:
    """Training texts of any language: a row's prompt, and a solution up to the program's end.

    Raises:
        FlextuneError: For an unknown language or lexicon.
    """
    written = known_language(language)
    return [
        Example(
            name=f"{lesson.composition.name}/{number}",
            prompt=prompt(lesson.composition, lesson.description, written),
            completion=written.body(lesson.composition.steps, lesson.style) + written.closing,
        )
        for number, lesson in enumerate(lessons(lexicon, seed, limit, validation=validation))
    ]


def prompt(composition: Composition, description: str, language: Language) -> str:
    """The prompt that asks for a composition in these words."""
    return language.prompt(description, composition.takes, composition.gives)


def python_code(composition: Composition, style: int) -> str:
    """A full Python function without its docstring."""
    signature, _, _ = prompt(composition, "", LANGUAGES["py"]).partition("\n")
    return f"{signature}\n{LANGUAGES['py'].body(composition.steps, style)}\n"


def asserts(cases: Iterable[tuple[Any, Any]]) -> list[str]:
    """One ``assert`` statement per case."""
    return [f"assert solve({given!r}) == {expected!r}" for given, expected in cases]
