"""Rosetta's fine-tuning split as rows of APPS's form: contest problems with several solutions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flextune.rosetta.examples import STYLES, Lesson, lessons, prompt, python_code
from flextune.rosetta.languages import LANGUAGES
from flextune.rosetta.operations import Kind

#: Steps of a program -> the class of its problem.
DIFFICULTIES = {2: "introductory", 3: "competition"}

#: One row in so many is answered by a function that is called, the others by a program that reads and prints.
CALLED = 4

_KINDS: dict[Kind, str] = {
    "int": "a whole number",
    "ints": "a list of whole numbers",
    "text": "a text",
    "words": "a list of words",
    "counts": "a map from words to whole numbers",
}


def contest_rows(
    lexicon: str = "base", seed: int = 0, limit: int | None = None, *, validation: bool = False
) -> Iterator[dict[str, Any]]:
    """Rows with the fields of APPS.

    A program reads one line of JSON and prints one. Problems of three steps are of the class competition.

    Args:
        lexicon: ``base`` or ``reserved`` wordings.
        seed: As for ``lessons``.
        limit: How many lessons; ``LESSONS`` by default.
        validation: The problems that training never sees, instead of those it does.

    Raises:
        FlextuneError: For an unknown lexicon.
    """
    found = lessons(lexicon, seed, limit, steps=None, validation=validation)
    for number, lesson in enumerate(found):
        yield _row(number, lesson, called=number % CALLED == CALLED - 1)


def _row(number: int, lesson: Lesson, *, called: bool) -> dict[str, Any]:
    program = lesson.composition
    functions = dict.fromkeys(python_code(program, style) for style in (lesson.style, *STYLES))
    signature = prompt(program, "", LANGUAGES["py"]).partition("\n")[0]
    return {
        "problem_id": number,
        "question": lesson.description if called else _question(lesson),
        "solutions": json.dumps([code if called else _program(code) for code in functions]),
        "input_output": json.dumps(_calls(lesson) if called else _lines(lesson)),
        "difficulty": DIFFICULTIES[len(program.steps)],
        "url": f"rosetta/{program.name}",
        "starter_code": f"{signature}\n" if called else "",
    }


def _question(lesson: Lesson) -> str:
    given, expected = lesson.cases[0]
    program = lesson.composition
    return (
        f"{lesson.description}\n\n-----Input-----\nOne line of JSON: {_KINDS[program.takes]}.\n\n"
        f"-----Output-----\nOne line of JSON: {_KINDS[program.gives]}.\n\n"
        f"-----Examples-----\nInput\n{_line(given)}\nOutput\n{_line(expected)}"
    )


def _program(function: str) -> str:
    """A program around a function that reads its argument and prints its result."""
    return f"import json\n\n\n{function}\n\nprint(json.dumps(solve(json.loads(input())), sort_keys=True))\n"


def _lines(lesson: Lesson) -> dict[str, Any]:
    return {
        "inputs": [_line(given) for given, _ in lesson.cases],
        "outputs": [_line(expected) for _, expected in lesson.cases],
    }


def _calls(lesson: Lesson) -> dict[str, Any]:
    return {
        "fn_name": "solve",
        "inputs": [[given] for given, _ in lesson.cases],
        "outputs": [expected for _, expected in lesson.cases],
    }


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
