"""Rosetta's fine-tuning split as rows of CodeSearchNet's form: functions with their documentation."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from flextune.languages import language_name
from flextune.rosetta.examples import Lesson, lessons, prompt
from flextune.rosetta.languages.base import Language
from flextune.rosetta.rows import known_language

_TOKEN = re.compile(r"\w+|[^\w\s]")


def documented_rows(
    language: str,
    lexicon: str = "base",
    seed: int = 0,
    limit: int | None = None,
    *,
    validation: bool = False,
) -> Iterator[dict[str, Any]]:
    """Rows with the fields of CodeSearchNet; the documentation is the problem in words.

    Raises:
        FlextuneError: For an unknown language or lexicon.
    """
    written = known_language(language)
    found = lessons(lexicon, seed, limit, validation=validation)
    return (_row(number, lesson, written, validation) for number, lesson in enumerate(found))


def _row(number: int, lesson: Lesson, language: Language, validation: bool) -> dict[str, Any]:
    code = _function(lesson, language)
    return {
        "repo": "flextune/rosetta",
        "path": f"{lesson.composition.name}/{number}",
        "func_name": "solve",
        "original_string": code,
        "language": language_name(language.name).lower(),
        "code": code,
        "code_tokens": _TOKEN.findall(code),
        "docstring": lesson.description,
        "docstring_tokens": _TOKEN.findall(lesson.description),
        "sha": "",
        "url": f"rosetta/{lesson.composition.name}",
        "partition": "valid" if validation else "train",
    }


def _function(lesson: Lesson, language: Language) -> str:
    """The function alone, without what stands around it; in Python with its docstring."""
    head = prompt(lesson.composition, lesson.description, language)
    body = language.body(lesson.composition.steps, lesson.style)
    if language.name == "py":
        return head + body
    signature = head.rstrip("\n").rpartition("\n")[2]
    # The first line that closes something closes the function; the others close what stands around it.
    closing = language.closing.strip("\n").partition("\n")[0]
    return textwrap.dedent(f"{signature}\n{body}\n{closing}").rstrip("\n")
