"""The fine-tuning split in the shapes of APPS (arXiv:2105.09938) and CodeSearchNet (arXiv:1909.09436)."""

from __future__ import annotations

import json
import re
from textwrap import dedent
from typing import Any

from flextune.rosetta.composition import Composition
from flextune.rosetta.examples import STYLES, Lesson, lessons, prompt, python_code
from flextune.rosetta.languages import Language
from flextune.rosetta.rows import known_language

_TOKEN = re.compile(r'"[^"\n]*"|\w+|[^\w\s]')

#: CodeSearchNet writes languages in full.
_FULL_NAMES = {"py": "python", "js": "javascript"}


def apps_rows(lexicon: str = "base", seed: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    """Rows of APPS's fields with function-call tests; programs of three steps are ``competition``.

    Raises:
        FlextuneError: For an unknown lexicon.
    """
    return [_apps_row(lesson) for lesson in lessons(lexicon, seed, limit, steps=None)]


def _apps_row(lesson: Lesson) -> dict[str, Any]:
    program = lesson.composition
    tests = {
        "fn_name": "solve",
        "inputs": [[given] for given, _ in lesson.cases],
        "outputs": [expected for _, expected in lesson.cases],
    }
    return {
        "question": f"{lesson.description}\n",
        "solutions": json.dumps([python_code(program, style) for style in STYLES]),
        "input_output": json.dumps(tests),
        "difficulty": _difficulty(program),
        "url": "",
        "starter_code": python_code(program, 0).partition("\n")[0] + "\n",
    }


def _difficulty(program: Composition) -> str:
    if len(program.steps) > 2:
        return "competition"
    return "interview" if program.stateful else "introductory"


def codesearchnet_rows(
    language: str, lexicon: str = "base", seed: int = 0, limit: int | None = None
) -> list[dict[str, Any]]:
    """Rows of CodeSearchNet's fields; ``code`` is the function with its description.

    Raises:
        FlextuneError: For an unknown language or lexicon.
    """
    written = known_language(language)
    return [_codesearchnet_row(lesson, written) for lesson in lessons(lexicon, seed, limit)]


def _codesearchnet_row(lesson: Lesson, language: Language) -> dict[str, Any]:
    program = lesson.composition
    whole = _function(lesson, language)
    # Only Python holds the description inside the function.
    bare = python_code(program, lesson.style) if language.name == "py" else whole
    return {
        "repo": "flextune/rosetta",
        "path": f"fine-tuning/{program.name}.{language.name}",
        "func_name": "solve",
        "original_string": whole,
        "language": _FULL_NAMES.get(language.name, language.name),
        "code": whole,
        "code_tokens": _TOKEN.findall(bare),
        "docstring": lesson.description,
        "docstring_tokens": _TOKEN.findall(lesson.description),
        "partition": "train",
        "url": "",
    }


def _function(lesson: Lesson, language: Language) -> str:
    """``solve`` alone, from its signature to its end, without class and imports."""
    steps = lesson.composition.steps
    text = prompt(lesson.composition, lesson.description, language) + language.body(steps, lesson.style)
    lines = (text + language.closing).rstrip().split("\n")
    start = next(i for i, line in enumerate(lines) if " solve(" in line)
    margin = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    ends = (i for i in range(start, len(lines)) if lines[i] == margin + "}")
    return dedent("\n".join(lines[start : next(ends, len(lines)) + 1]))
