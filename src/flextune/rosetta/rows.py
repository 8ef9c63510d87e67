"""Rosetta problems as rows of MultiPL-E's format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from flextune.languages import supported
from flextune.rosetta.languages import LANGUAGES, Language
from flextune.rosetta.splits import Exercise, compositions, evaluation_set, known_split
from flextune.rosetta.testing import cases, choose
from flextune.rosetta.wording import Lexicon, fixed_description, known_lexicon


def rows(
    language: str, lexicon: str = "base", split: str = "evaluation", limit: int | None = None
) -> list[dict[str, Any]]:
    """Problems of one language and lexicon; the same in every process.

    Args:
        language: A language that Rosetta has: MultiPL-E's short name, or another spelling.
        lexicon: ``base`` or ``reserved`` wordings.
        split: ``evaluation``: the evaluation set in its order. Another split: its problems by name, with
            tests that are chosen now (about 0.03 s a problem).
        limit: How many, from the first; all by default.

    Returns:
        MultiPL-E's fields, ``lexicon``, and ``reference``: a completion that passes.

    Raises:
        FlextuneError: For an unknown language, lexicon or split.
    """
    written, words = known_language(language), known_lexicon(lexicon)
    return [_row(exercise, written, words) for exercise in islice(_exercises(split), limit)]


def known_language(language: str) -> Language:
    """The language of that short name, or of any spelling of it.

    Raises:
        FlextuneError: If Rosetta is not written in it.
    """
    return LANGUAGES[supported(language, LANGUAGES, where="rosetta")]


def _exercises(split: str) -> Iterator[Exercise]:
    if known_split(split) == "evaluation":
        return iter(evaluation_set())
    return (Exercise(program, choose(program)) for program in compositions(known_split(split)))


def _row(exercise: Exercise, language: Language, lexicon: Lexicon) -> dict[str, Any]:
    program = exercise.composition
    takes, gives = program.takes, program.gives
    return {
        "name": program.name,
        "language": language.name,
        "prompt": language.prompt(fixed_description(program, lexicon), takes, gives),
        "doctests": "remove",
        "original": f"rosetta/{program.name}",
        "prompt_terminology": "verbatim",
        "stop_tokens": list(language.stop),
        "tests": language.tests(takes, gives, cases(program, exercise.inputs)),
        "lexicon": lexicon,
        "reference": language.body(program.steps),
    }
